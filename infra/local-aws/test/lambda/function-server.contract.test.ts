import { afterEach, describe, expect, it } from 'vitest';
import type { LoopbackServer } from '../../src/http/loopback-server.ts';
import { type FunctionServerOptions, startFunctionServer } from '../../src/lambda/function-server.ts';

const servers: LoopbackServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function startHost(options: Partial<FunctionServerOptions> = {}): Promise<LoopbackServer> {
  const server = await startFunctionServer({
    functionName: 'recorder',
    moduleUrl: new URL('./functions/recorder.ts', import.meta.url).href,
    handler: 'handler',
    timeoutMs: 60_000,
    concurrency: 10,
    assignment: 'sticky',
    port: 0,
    onError: () => undefined,
    ...options,
  });
  servers.push(server);
  return server;
}

interface Answer {
  readonly status: number;
  readonly functionError: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: answers of any shape
  readonly body: any;
}

async function invoke(
  host: LoopbackServer,
  event: unknown,
  affinity = 'a',
  name = 'recorder',
): Promise<Answer> {
  const response = await fetch(`${host.url}/2015-03-31/functions/${name}/invocations`, {
    method: 'POST',
    headers: { 'x-local-affinity': affinity },
    body: JSON.stringify(event),
  });
  return {
    status: response.status,
    functionError: response.headers.get('x-amz-function-error'),
    body: JSON.parse(await response.text()),
  };
}

describe('a function', () => {
  it('keeps what a container holds between invocations', async () => {
    const host = await startHost();
    const first = await invoke(host, {});
    const second = await invoke(host, {});
    expect(second.body).toMatchObject({ container: first.body.container, invocations: 2 });
  });

  it('answers null for a handler that returns nothing', async () => {
    const host = await startHost();
    expect((await invoke(host, { action: 'nothing' })).body).toBeNull();
  });

  it('answers errors in the shape of Lambda, with status 200', async () => {
    const host = await startHost();
    const answer = await invoke(host, { action: 'throw' });
    expect(answer).toMatchObject({ status: 200, functionError: 'Unhandled' });
    expect(answer.body).toMatchObject({
      errorType: 'RangeError',
      errorMessage: 'as asked',
      trace: expect.arrayContaining(['RangeError: as asked']),
    });
    expect((await invoke(host, {})).body.invocations).toBe(2);
  });

  it('ends a handler that overruns its time, even one that blocks, and starts a fresh container', async () => {
    const host = await startHost({ timeoutMs: 300 });
    const { container } = (await invoke(host, {})).body;
    for (const action of ['sleep', 'spin']) {
      const answer = await invoke(host, { action, ms: 20_000 });
      expect(answer.functionError).toBe('Unhandled');
      expect(answer.body).toMatchObject({
        errorType: 'Sandbox.Timedout',
        errorMessage: expect.stringMatching(/Task timed out after 0\.30 seconds$/),
      });
    }
    const after = (await invoke(host, {})).body;
    expect(after).toMatchObject({ invocations: 1 });
    expect(after.container).not.toBe(container);
  });

  it('answers for a container that ends itself or rejects unheard, and goes on with another', async () => {
    const host = await startHost();
    expect((await invoke(host, { action: 'exit' })).body).toMatchObject({
      errorType: 'Runtime.ExitError',
      errorMessage: 'Runtime exited with code 3',
    });
    expect((await invoke(host, { action: 'reject-later' })).body.errorMessage).toBe('nobody waited for this');
    expect((await invoke(host, {})).body.invocations).toBe(1);
  });

  it('runs one invocation at a time per container, more in containers of their own, and refuses beyond', async () => {
    const host = await startHost({ concurrency: 2 });
    const answers = await Promise.all(
      ['a', 'b', 'c'].map((lane) => invoke(host, { action: 'sleep', ms: 500 }, lane)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 429]);
    const served = answers.filter(({ status }) => status === 200).map(({ body }) => body.container);
    expect(new Set(served).size).toBe(2);
  });

  it('gives each affinity the container it had, unless told to rotate', async () => {
    const containersOf = async (host: LoopbackServer) => {
      await Promise.all(['a', 'b', 'c'].map((lane) => invoke(host, { action: 'sleep', ms: 300 }, lane)));
      const seen: string[] = [];
      for (const lane of ['a', 'b', 'c', 'a', 'b', 'c'])
        seen.push((await invoke(host, {}, lane)).body.container);
      return seen;
    };
    const sticky = await containersOf(await startHost());
    expect(sticky.slice(3)).toEqual(sticky.slice(0, 3));
    expect(new Set(sticky).size).toBe(3);
    const rotating = await startHost({ assignment: 'rotate' });
    await Promise.all(['a', 'b'].map((lane) => invoke(rotating, { action: 'sleep', ms: 300 }, lane)));
    const alone: string[] = [];
    for (let i = 0; i < 4; i += 1) alone.push((await invoke(rotating, {}, 'a')).body.container);
    expect(new Set(alone).size).toBe(2);
  });

  it('with homes, lets each affinity wait for its own container, which outlives none of its deaths', async () => {
    const host = await startHost({ assignment: 'home', concurrency: 2 });
    const lanes = ['a', 'b', 'c', 'd', 'a', 'b'];
    const answers = await Promise.all(lanes.map((lane) => invoke(host, { action: 'sleep', ms: 100 }, lane)));
    expect(answers.map(({ status }) => status)).toEqual(lanes.map(() => 200));
    const homes = answers.map(({ body }) => body.container);
    expect(homes.slice(4)).toEqual(homes.slice(0, 2));
    expect(new Set(homes).size).toBe(2);
    // None was served beside another: each container counted its own.
    const counts = answers.map(({ body }) => `${body.container} ${body.invocations}`);
    expect(new Set(counts).size).toBe(lanes.length);
    const dying = invoke(host, { action: 'exit' }, 'a');
    const waiting = invoke(host, {}, 'a');
    expect((await dying).body.errorType).toBe('Runtime.ExitError');
    expect((await waiting).body).toMatchObject({ invocations: 1 });
    expect((await invoke(host, {}, 'b')).body.container).toBe(homes[1]);
  });

  it('refuses other functions and events above 6 MiB', async () => {
    const host = await startHost();
    expect((await invoke(host, {}, 'a', 'another')).status).toBe(404);
    expect((await invoke(host, { value: 'x'.repeat(6 * 1024 * 1024) })).status).toBe(413);
    const large = 'x'.repeat(6_000_000);
    expect((await invoke(host, { value: large })).body.value).toBe(large);
  });
});
