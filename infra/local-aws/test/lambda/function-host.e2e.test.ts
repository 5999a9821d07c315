import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { readyLine } from '@twinstream/test-kit';
import { afterEach, describe, expect, it } from 'vitest';

const HOST = fileURLToPath(new URL('../../src/lambda/function-host.ts', import.meta.url));
const RECORDER = fileURLToPath(new URL('./functions/recorder.ts', import.meta.url));
const BROKEN = fileURLToPath(new URL('./functions/broken.ts', import.meta.url));

interface Host {
  readonly url: string;
  readonly pid: number;
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
}

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function run(args: readonly string[], stdin: 'pipe' | 'ignore' = 'pipe') {
  const child = spawn(process.execPath, [HOST, ...args], { stdio: [stdin, 'pipe', 'pipe'] });
  children.push(child);
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, exited, errors: () => errors };
}

async function startHost(args: readonly string[] = [], module = RECORDER): Promise<Host> {
  const { child, exited } = run(['--name', 'recorder', '--module', module, ...args]);
  const { url, pid }: { url: string; pid: number } = JSON.parse(await readyLine(child));
  return { url, pid, child, exited };
}

interface Answer {
  readonly status: number;
  readonly functionError: string | null;
  readonly requestId: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: answers of any shape
  readonly body: any;
}

async function invoke(host: Host, event: unknown, affinity = 'a', name = 'recorder'): Promise<Answer> {
  const response = await fetch(`${host.url}/2015-03-31/functions/${name}/invocations`, {
    method: 'POST',
    headers: { 'x-local-affinity': affinity },
    body: JSON.stringify(event),
  });
  return {
    status: response.status,
    functionError: response.headers.get('x-amz-function-error'),
    requestId: response.headers.get('x-amzn-requestid'),
    body: JSON.parse(await response.text()),
  };
}

describe('the function host', () => {
  it('prints its address and process id, and invokes the handler with its event and context', async () => {
    const host = await startHost(['--timeout-ms', '5000']);
    expect(host.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(host.pid).toBe(host.child.pid);
    const { status, body, functionError, requestId } = await invoke(host, { value: { a: ['ü', 1, null] } });
    expect({ status, functionError }).toEqual({ status: 200, functionError: null });
    expect(body).toMatchObject({
      value: { a: ['ü', 1, null] },
      invocations: 1,
      context: {
        functionName: 'recorder',
        functionVersion: '$LATEST',
        awsRequestId: requestId,
        invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:recorder',
      },
    });
    expect(body.remainingMs).toBeGreaterThan(4_000);
    expect(body.remainingMs).toBeLessThanOrEqual(5_000);
  });

  it('finishes the invocation at hand on SIGTERM and exits with 0', async () => {
    const host = await startHost();
    const answer = invoke(host, { action: 'sleep', ms: 700, value: 'done' });
    await expect.poll(() => invoke(host, {}, 'other').then(({ status }) => status)).toBe(200);
    host.child.kill('SIGTERM');
    expect(await answer).toMatchObject({ status: 200, body: { value: 'done' } });
    expect(await host.exited).toBe(0);
  });

  it('ends when its parent closes its standard input', async () => {
    const host = await startHost();
    host.child.stdin?.end();
    expect(await host.exited).toBe(0);
  });

  it.each([
    [
      'a module that does not load',
      ['--name', 'x', '--module', BROKEN],
      /^FUNCTION_BROKEN: x: TypeError: this module does not load$/m,
    ],
    [
      'a module without the handler',
      ['--name', 'x', '--module', RECORDER, '--handler', 'notAFunction'],
      /FUNCTION_BROKEN: .* exports no function notAFunction/,
    ],
    ['a module that is not there', ['--name', 'x', '--module', '/nowhere.ts'], /^FUNCTION_BROKEN: /m],
    ['no module', ['--name', 'x'], /^INVALID_ARGUMENTS: --module: /m],
    ['a concurrency of 0', ['--name', 'x', '--module', RECORDER, '--concurrency', '0'], /--concurrency: /],
    ['an unknown option', ['--nmae', 'x'], /^INVALID_ARGUMENTS: .*--nmae/m],
  ])('says in clear words that it has %s, and exits with 1', async (_name, args, words) => {
    const { exited, errors } = run(args, 'ignore');
    expect(await exited).toBe(1);
    expect(errors()).toMatch(words);
  });
});
