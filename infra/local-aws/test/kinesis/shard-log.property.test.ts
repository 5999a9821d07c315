import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppendFiles } from '../../src/kinesis/append-files.ts';
import type { LogSlice } from '../../src/kinesis/log-slice.ts';
import { recordCounter, recordData } from '../../src/kinesis/record-frame.ts';
import { recordOffset, SEGMENT_AGE_MS_MAX } from '../../src/kinesis/segment.ts';
import { segmentMemory, shrinkToFit } from '../../src/kinesis/segment-memory.ts';
import { ShardLog } from '../../src/kinesis/shard-log.ts';

/** A record as a log of records should hold it. */
interface Expected {
  readonly counter: number;
  readonly arrivalMs: number;
  readonly text: string;
}

type Step =
  | { readonly kind: 'append'; readonly sizes: readonly number[] }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'read'; readonly from: number; readonly recordsMax: number; readonly bytesMax: number }
  | { readonly kind: 'seek'; readonly backMs: number }
  | { readonly kind: 'trim'; readonly backMs: number }
  | { readonly kind: 'shrink' }
  | { readonly kind: 'reopen' };

const MS = fc.integer({ min: 0, max: 3 * SEGMENT_AGE_MS_MAX });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      sizes: fc.array(fc.nat(400), { minLength: 1, maxLength: 5 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: MS }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      from: fc.nat(400),
      recordsMax: fc.integer({ min: 1, max: 12 }),
      bytesMax: fc.integer({ min: 1, max: 2_000 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('seek' as const), backMs: MS }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('trim' as const), backMs: MS }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('shrink' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
);

function textsOf(slice: LogSlice): { counter: number; text: string }[] {
  return slice.runs.flatMap(({ content, from, to }) =>
    Array.from({ length: to - from }, (_, index) => {
      const at = recordOffset(content, from + index);
      return { counter: recordCounter(content.bytes, at), text: recordData(content.bytes, at).toString() };
    }),
  );
}

/** What a read should give, by walking over everything. */
function expectedRead(model: readonly Expected[], horizonMs: number, read: Extract<Step, { kind: 'read' }>) {
  const taken: Expected[] = [];
  let bytes = 0;
  for (const record of model.filter(
    ({ counter, arrivalMs }) => counter >= read.from && arrivalMs >= horizonMs,
  )) {
    const size = record.text.length + 1;
    if (taken.length === read.recordsMax || (taken.length > 0 && bytes + size > read.bytesMax)) break;
    taken.push(record);
    bytes += size;
  }
  const rest = model.filter(
    ({ counter, arrivalMs }) => counter > (taken.at(-1)?.counter ?? read.from - 1) && arrivalMs >= horizonMs,
  );
  return { taken, bytes, atEnd: rest.length === 0 };
}

function run(steps: readonly Step[], folder: string | undefined): void {
  const files = folder === undefined ? undefined : new AppendFiles();
  const memory = segmentMemory(folder === undefined ? 64 * 1024 * 1024 : 1_000, folder !== undefined);
  const services = { memory, files, random: () => 0.3 };
  let log = new ShardLog(folder, services);
  const model: Expected[] = [];
  let nowMs = 1_000_000_000;
  let horizonMs = 0;
  for (const [index, action] of steps.entries()) {
    switch (action.kind) {
      case 'append': {
        const texts = action.sizes.map((size, place) => `${index}.${place}`.padEnd(size, '-'));
        const records = texts.map((text) => ({ key: 'k', keyBytes: 1, data: Buffer.from(text) }));
        const appended = log.append(records, nowMs);
        appended?.counters.forEach((counter, place) => {
          model.push({ counter, arrivalMs: appended.arrivalMs, text: texts[place] ?? '' });
        });
        expect(appended?.counters).toHaveLength(texts.length);
        break;
      }
      case 'wait':
        nowMs += action.ms;
        break;
      case 'read': {
        const slice = log.read(action.from, { ...action, horizonMs });
        const { taken, bytes, atEnd } = expectedRead(model, horizonMs, action);
        expect(textsOf(slice)).toEqual(taken.map(({ counter, text }) => ({ counter, text })));
        expect(slice).toMatchObject({ records: taken.length, bytes, atEnd });
        expect(slice.lastArrivalMs).toBe(taken.at(-1)?.arrivalMs);
        break;
      }
      case 'seek': {
        const timeMs = Math.max(horizonMs, nowMs - action.backMs);
        const found = model.find(({ arrivalMs }) => arrivalMs >= timeMs)?.counter;
        expect(log.counterAtArrival(timeMs)).toBe(found ?? log.end);
        break;
      }
      case 'trim':
        horizonMs = Math.max(horizonMs, nowMs - action.backMs);
        log.trim(horizonMs);
        expect(log.isExpired(horizonMs)).toBe(model.every(({ arrivalMs }) => arrivalMs < horizonMs));
        break;
      case 'shrink':
        shrinkToFit(memory);
        if (folder !== undefined) expect(memory.bytes).toBeLessThanOrEqual(1_000);
        break;
      case 'reopen':
        if (folder === undefined) break;
        log.close();
        expect(memory.bytes).toBe(0);
        log = new ShardLog(folder, services);
        break;
    }
    expect(log.end).toBe((model.at(-1)?.counter ?? 0) + 1);
  }
  log.close();
  expect(memory.bytes).toBe(0);
  files?.close();
}

const steps = fc.array(step, { minLength: 1, maxLength: 60 });

describe('a shard log is a list of records', () => {
  it('in memory', () => {
    fc.assert(
      fc.property(steps, (list) => run(list, undefined)),
      { numRuns: 300 },
    );
  });

  it('in files, with a cache that holds next to nothing and restarts in between', () => {
    const root = mkdtempSync(join(tmpdir(), 'twinstream-shard-log-'));
    let runs = 0;
    try {
      fc.assert(
        fc.property(steps, (list) => {
          runs += 1;
          run(list, join(root, String(runs)));
        }),
        { numRuns: 150 },
      );
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
