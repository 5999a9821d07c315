import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '@twinstream/end-to-end';
import { runNode } from '@twinstream/test-kit';
import { afterAll, expect, test } from 'vitest';
import { deployTwinstream } from '../src/deployment.ts';
import type { LoadOptions } from '../src/load-options.ts';
import { measureLoad } from '../src/measure-load.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const folder = temporaryFolder();
afterAll(() => folder.dispose());

const OPTIONS: LoadOptions = {
  kind: 'measure',
  target: 'local',
  scenario: 'restart',
  rate: 200,
  durationMs: 5_000,
  deviceCount: 30,
  aggregate: true,
  seed: 3,
  dynamodb: 'dynalite',
  windowMs: 200,
  expectations: [],
  output: 'json',
  baseline: false,
  findRate: false,
  drainDeadlineMs: 120_000,
  archiveDeadlineMs: 120_000,
  isConfirmed: false,
  warmUpMs: 1_000,
};

test('a load with kills is offered, drained and measured, and a claim that is not true is found out', async () => {
  const deployment = await deployTwinstream({
    folder: folder.path,
    shardCount: 2,
    dynamodb: 'dynalite',
    windowMs: 200,
  });
  try {
    const { signal } = new AbortController();
    const result = await measureLoad({
      deployment,
      options: OPTIONS,
      folder: folder.path,
      signal,
      say: () => undefined,
    });
    expect(result.ledger).toMatchObject({ sent: 1_200, stored: 1_200, archived: 1_200, violations: [] });
    expect(result.series.marks).toHaveLength(8);
    const { p50Ms, p99Ms, maxMs, finishedMaxMs, writeUnitsPerEvent } = result.figures;
    expect(p50Ms).toBeGreaterThan(0);
    expect(p99Ms).toBeGreaterThanOrEqual(p50Ms ?? Number.POSITIVE_INFINITY);
    expect(maxMs).toBeLessThan(60_000);
    expect(finishedMaxMs).toBeGreaterThan(0);
    expect(writeUnitsPerEvent).toBeGreaterThan(0);
    const names = result.processes.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['state-projector', 'emulators', 'dynalite', 'device-simulator']),
    );

    // An event that was never sent, as a ledger of a pipeline that loses events would have it.
    const ledgerFile = join(folder.path, 'twinstream.ndjson');
    appendFileSync(ledgerFile, `${JSON.stringify(forged())}\n`);
    const parts: string[] = [];
    const found = await deployment.check({
      ledgerFiles: [ledgerFile, join(folder.path, 'twinstream-warm-up.ndjson')],
      folder: folder.path,
      // As if they were too many for one check.
      acknowledged: 1_000_000,
      isOrdered: true,
      archiveDeadlineAtMs: Date.now(),
      onPart: (part, partCount) => parts.push(`${part} of ${partCount}`),
    });
    expect(found.violationsByKind).toEqual({ lost: 1, 'not-archived': 1 });
    expect(parts).toEqual(['1 of 3', '2 of 3', '3 of 3']);
    expect(found).toMatchObject({ sent: 1_201, stored: 1_200, devices: 31 });
  } finally {
    await deployment.stop();
  }
}, 240_000);

function forged() {
  const identity = { session: 999_999, counter: 1 };
  const time = '2026-01-01T00:00:00.000Z';
  return {
    n: 0,
    deviceId: 'meter-000001',
    ...identity,
    type: 'reported',
    time,
    result: 'acknowledged',
    dueAtMs: Date.now(),
    acknowledgedAtMs: Date.now(),
    position: { shardId: 'shardId-000000000000', sequenceNumber: '1', subSequenceNumber: 0 },
    event: { v: 1, deviceId: 'meter-000001', type: 'reported', time, ...identity, data: {} },
  };
}

test('wrong usage ends with 2 before anything is started', async () => {
  const { code, stderr } = await runNode([MAIN, '--scenario', 'storm']);
  expect(code).toBe(2);
  expect(stderr).toContain('storm');
});
