import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CodedError } from '@twinstream/runtime';
import { steppingClock } from '@twinstream/test-kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planRun, type RunPlan } from '../../src/command/run-plan.ts';
import { type RunPorts, runSimulation } from '../../src/command/run-simulation.ts';
import type { Settings } from '../../src/command/settings.ts';
import type { BadRow } from '../../src/recording/row.ts';
import { type FakeProducer, fakeProducer } from '../sending/fake-producer.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'twinstream-run-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NOW = 1_790_000_000_000;
const planOf = (settings: Settings): RunPlan =>
  planRun(settings, { nowMs: NOW, stream: undefined, drawSeed: () => 7 });

async function run(plan: RunPlan, more: Partial<RunPorts> & { producer?: FakeProducer } = {}) {
  const { producer = fakeProducer(), ...ports } = more;
  const badRows: BadRow[] = [];
  const result = await runSimulation(plan, {
    clock: steppingClock(NOW),
    openProducer: async () => producer,
    openLedger: async () => undefined,
    stop: new AbortController().signal,
    abort: new AbortController().signal,
    onStart: () => undefined,
    onBadRow: (row) => void badRows.push(row),
    ...ports,
  });
  return { ...result, producer, badRows };
}

function fileOf(content: string | Uint8Array): string {
  const path = join(folder, `input-${Math.random()}`);
  writeFileSync(path, content);
  return path;
}

describe('a run', () => {
  test('sends rate times duration events, and sums up', async () => {
    const { summary, failure, producer } = await run(
      planOf({ devices: 10, rate: 100, duration: 2_000, seed: 1 }),
    );
    expect(failure).toBeUndefined();
    expect(producer.records).toHaveLength(200);
    expect(producer.isClosed()).toBe(true);
    expect(summary).toMatchObject({
      stream: 'device-events',
      scheduled: 200,
      sent: 200,
      acknowledged: 200,
      retried: 0,
      failed: 0,
      dropped: 0,
      seed: 1,
      startTime: '2026-01-01T00:00:00.000Z',
      session: 1_767_225_600,
      interrupted: false,
      rejectedRows: { count: 0, first: [] },
    });
    expect(summary.elapsedMs).toBe(1_990);
    expect(summary.eventsPerSecond).toBeCloseTo(200 / 1.99, 2);
  });

  test('sends the same bytes for the same seed, however late the clock is', async () => {
    const plan = planOf({
      devices: 20,
      rate: 500,
      count: 3_000,
      seed: 5,
      late: 0.05,
      duplicates: 0.05,
      malformed: 0.02,
    });
    const bytes = async (oversleepMs: number): Promise<string> => {
      const { producer } = await run(plan, { clock: steppingClock(NOW, oversleepMs) });
      return Buffer.concat(producer.records.map(({ data }) => data)).toString('base64');
    };
    const first = await bytes(0);
    expect(await bytes(7)).toBe(first);
  });

  test('counts faults, and leaves withheld events out of the schedule', async () => {
    const { summary } = await run(planOf({ rate: 100, count: 1_000, seed: 2, drop: 0.1, duplicates: 0.1 }));
    const { drop, duplicates } = summary.faults;
    expect(drop).toBeGreaterThan(50);
    expect(duplicates).toBeGreaterThan(50);
    expect(summary.scheduled).toBe(1_000 - drop + duplicates);
    expect(summary.acknowledged).toBe(summary.scheduled);
  });

  test('reports rows that can be no events, and goes on', async () => {
    const path = fileOf('id,at\na,2017-03-21T00:00:00Z\na,never\na,2017-03-21T00:00:01Z\n');
    const { summary, failure, badRows } = await run(
      planOf({ input: path, idColumn: 'id', timeColumn: 'at' }),
    );
    expect(failure).toBeUndefined();
    expect(summary).toMatchObject({
      acknowledged: 2,
      failed: 0,
      rejectedRows: { count: 1, first: [{ line: 3 }] },
    });
    expect(badRows).toHaveLength(1);
    expect(summary).not.toHaveProperty('startTime');
  });

  test('that is stopped waits for what is on its way, and says that it was interrupted', async () => {
    const stop = new AbortController();
    const producer = fakeProducer({ answers: false });
    const running = run(planOf({ rate: 'max' }), { stop: stop.signal, producer });
    await expect.poll(() => producer.records.length).toBeGreaterThan(100);
    stop.abort();
    const { summary } = await running;
    expect(summary.interrupted).toBe(true);
    expect(summary.acknowledged).toBe(producer.records.length);
    expect(summary.scheduled).toBe(summary.acknowledged);
  });

  test('that is aborted waits for nothing, and counts what was on its way as failed', async () => {
    const stop = new AbortController();
    const abort = new AbortController();
    const producer = fakeProducer({ room: 50, answers: false });
    const running = run(planOf({ rate: 'max' }), { stop: stop.signal, abort: abort.signal, producer });
    await expect.poll(() => producer.records.length).toBe(50);
    abort.abort();
    stop.abort();
    const { summary } = await running;
    expect(summary).toMatchObject({ scheduled: 50, failed: 50, failedByReason: { PRODUCER_ABORTED: 50 } });
  });

  test('whose input breaks off sums up what was sent, with the failure', async () => {
    const rows = Array.from({ length: 60_000 }, (_, index) => `a${index},2017-03-21T00:00:00Z`).join('\n');
    const whole = gzipSync(`id,at\n${rows}`);
    const path = fileOf(whole.subarray(0, whole.length - 500));
    const { summary, failure } = await run(planOf({ input: path, idColumn: 'id', timeColumn: 'at' }));
    expect(failure).toMatchObject({ code: 'INPUT_UNREADABLE' });
    expect(summary.interrupted).toBe(true);
    expect(summary.acknowledged).toBeGreaterThan(1_000);
  });

  test('whose ledger cannot be finished fails, and still sums up', async () => {
    const full = new CodedError('LEDGER_UNWRITABLE', 'full');
    const openLedger = async () => ({
      write: () => undefined,
      room: () => undefined,
      close: () => Promise.reject(full),
    });
    const { summary, failure } = await run(planOf({ count: 3 }), { openLedger });
    expect(failure).toBe(full);
    expect(summary.acknowledged).toBe(3);
  });
});

describe('nothing is sent', () => {
  test('when the input is wrong, and the stream is not even opened', async () => {
    let isOpened = false;
    const openProducer = async () => {
      isOpened = true;
      return fakeProducer();
    };
    const running = run(planOf({ input: join(folder, 'nowhere') }), { openProducer });
    await expect(running).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
    expect(isOpened).toBe(false);
  });

  test('when all rows of the input are rejected', async () => {
    const input = fileOf('id,at\na,never\nb,never\n');
    await expect(run(planOf({ input, idColumn: 'id', timeColumn: 'at' }))).rejects.toMatchObject({
      code: 'INPUT_ALL_REJECTED',
      message: 'no event was sent: all 2 rows were rejected',
    });
  });

  test('when the ledger cannot be opened, and the producer is closed', async () => {
    const producer = fakeProducer();
    const openLedger = () => Promise.reject(new CodedError('LEDGER_UNWRITABLE', 'no folder'));
    await expect(run(planOf({ count: 3 }), { producer, openLedger })).rejects.toThrow('no folder');
    expect(producer.isClosed()).toBe(true);
    expect(producer.records).toEqual([]);
  });
});
