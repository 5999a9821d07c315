import { dynaliteEngine, type TestDynamoDb } from '@twinstream/event-store/contract/dynamodb-engines';
import { GENERATION_FRESH_MS } from '@twinstream/table-generation';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SmallPipeline, type SmallPipelineOptions, startSmallPipeline } from './small-pipeline.ts';

let dynamoDb: TestDynamoDb;
beforeAll(async () => {
  dynamoDb = await dynaliteEngine.start();
});
afterAll(() => dynamoDb?.close());

const started = (options?: SmallPipelineOptions) => startSmallPipeline(dynamoDb, options);

let replays = 0;

async function replayed({ ops }: SmallPipeline, source: string): Promise<string> {
  replays += 1;
  const from = source === 'event-store' ? [] : ['--from', 'earliest'];
  const fresh = ['--into', 'fresh', '--name', `anew-${replays}`, '--execute', '--reason', 'a test', '--yes'];
  const { code, stdout } = await ops(
    ...['replay', 'start', '--source', source, ...from, ...fresh, '--output', 'json'],
  );
  expect(code).toBe(0);
  return JSON.parse(stdout).id;
}

async function promoted({ ops }: SmallPipeline, job: string) {
  const { code, stdout, stderr } = await ops('replay', 'promote', job, '--yes', '--output', 'json');
  expect(stderr).not.toMatch(/[A-Z]+_[A-Z]+/);
  expect(code).toBe(0);
  return { stderr, document: JSON.parse(stdout) };
}

describe('a promotion', () => {
  test('has what was projected after its device was copied, however long before it had arrived', async () => {
    const running = await started();
    running.put('bus-1', 1, { speed: 1 });
    await running.project();
    running.enable(false);
    running.put('bus-1', 2, { speed: 2 });
    running.put('bus-2', 1, { speed: 7 });
    running.pass(70_000);
    const job = await replayed(running, 'event-store');
    running.enable(true);
    await running.project();
    await promoted(running, job);
    expect(await running.attributes('bus-1')).toEqual({ speed: 2 });
    expect(await running.attributes('bus-2')).toEqual({ speed: 7 });
  });

  test.each(['event-store', 'stream'])(
    'has what was redriven between the end of a replay from the %s and the promotion',
    async (source) => {
      const running = await started();
      running.put('bus-1', 1, { speed: 1 });
      running.putInvalid(
        '{"v":2,"deviceId":"bus-1","type":"reported","time":"2026-11-23T08:00:00Z","session":1,"counter":2,"data":{"door":"open"}}',
      );
      running.put('bus-1', 3, { speed: 3 });
      await running.project();
      running.pass(120_000);
      const job = await replayed(running, source);
      const redriven = await running.ops(
        ...['quarantine', 'redrive', '--transform', '.v = 1', '--execute', '--reason', 'a test', '--yes'],
      );
      expect(redriven.code).toBe(0);
      const { document } = await promoted(running, job);
      expect(await running.attributes('bus-1')).toEqual({ speed: 3, door: 'open' });
      expect(document).toMatchObject({ carriedEvents: 1, heldFrom: null });
    },
  );

  test('has what is redriven while it switches', async () => {
    const running = await started();
    running.put('bus-1', 1, { speed: 1 });
    running.putInvalid(
      '{"v":2,"deviceId":"bus-1","type":"reported","time":"2026-11-23T08:00:00Z","session":1,"counter":2,"data":{"door":"open"}}',
    );
    await running.project();
    const job = await replayed(running, 'stream');
    running.onPause(async () => {
      const redriven = await running.ops(
        ...['quarantine', 'redrive', '--transform', '.v = 1', '--execute', '--reason', 'a test', '--yes'],
      );
      expect(redriven.code).toBe(0);
    });
    await promoted(running, job);
    expect(await running.attributes('bus-1')).toEqual({ speed: 1, door: 'open' });
  });

  test.each([
    {
      streamAgeHours: 200,
      warning: /warning: .*-events and .*-device-state hold nothing that arrived before 2026-11-16/,
    },
    { streamAgeHours: 100, warning: /^(?!.*warning)/s },
  ])(
    'of a replay of a stream that is $streamAgeHours hours old warns of what the retention took',
    async ({ warning, ...options }) => {
      const running = await started(options);
      running.put('bus-1', 1, { speed: 1 });
      await running.project();
      const { stderr } = await promoted(running, await replayed(running, 'stream'));
      expect(stderr).toMatch(warning);
    },
  );

  test('has what is redriven by a command that was at work when it switched', async () => {
    const running = await started();
    running.put('bus-1', 1, { speed: 1 });
    running.putInvalid(
      '{"v":2,"deviceId":"bus-1","type":"reported","time":"2026-11-23T08:00:00Z","session":1,"counter":2,"data":{"door":"open"}}',
    );
    await running.project();
    const job = await replayed(running, 'stream');
    running.onAppend(async () => {
      await promoted(running, job);
    });
    const redriven = await running.ops(
      ...['quarantine', 'redrive', '--transform', '.v = 1', '--execute', '--reason', 'a test', '--yes'],
    );
    expect(redriven.code).toBe(0);
    expect(await running.attributes('bus-1')).toEqual({ speed: 1, door: 'open' });
  });

  test('waits for invocations that still run, and for projectors that have not heard of the switch', async () => {
    const running = await started();
    running.put('bus-1', 1, { speed: 1 });
    await running.project();
    const job = await replayed(running, 'event-store');
    const before = running.steps.length;
    running.put('bus-1', 2, { speed: 2 });
    running.onSleep(async (ms) => {
      if (ms === 30_000) await running.project(true);
    });
    const { code } = await running.ops('replay', 'promote', job, '--yes', '--function-timeout', '30s');
    expect(code).toBe(0);
    expect(running.steps.slice(before)).toEqual(['disable', 30_000, 2 * GENERATION_FRESH_MS, 'enable']);
    expect(await running.attributes('bus-1')).toEqual({ speed: 2 });
  });

  test('does not switch where somebody has enabled the mapping meanwhile', async () => {
    const running = await started();
    running.put('bus-1', 1, { speed: 1 });
    await running.project();
    const job = await replayed(running, 'stream');
    running.onSleep(async () => running.enable(true));
    const { code, stderr } = await running.ops('replay', 'promote', job, '--yes');
    expect(stderr).toContain('PROJECTOR_RESUMED');
    expect(code).not.toBe(0);
    running.onSleep(async () => undefined);
    await promoted(running, job);
  });

  test('starts the projector again, and what comes then is in the tables in use', async () => {
    const running = await started();
    running.put('bus-1', 1, { speed: 1 });
    await running.project();
    await promoted(running, await replayed(running, 'stream'));
    expect(running.isEnabled).toBe(true);
    running.put('bus-1', 2, { speed: 2 });
    await running.project();
    expect(await running.attributes('bus-1')).toEqual({ speed: 2 });
    expect((await running.ops('verify', '--no-archive')).code).toBe(0);
  });
});
