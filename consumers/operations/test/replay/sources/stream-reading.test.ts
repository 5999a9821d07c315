import { CodedError } from '@twinstream/runtime';
import { encodeAggregate, type StreamRecord, sequenceNumber, shardId } from '@twinstream/stream-model';
import { TEST_TIME_MS, virtualClock } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { endOfRecord, type ReplayBatch } from '../../../src/replay/replay-entry.ts';
import type { SourceQuery } from '../../../src/replay/sources/replay-source.ts';
import { streamSource } from '../../../src/replay/sources/stream-source.ts';
import { type MemoryShard, type MemoryStreamOptions, memoryStream } from './memory-stream.ts';

/** Long over at {@link TEST_TIME_MS}. */
const TO_MS = 100_000;
const [A, B, C, D] = ['0', '1', '2', '3'].map((digit) => shardId(`shardId-00000000000${digit}`));
if (A === undefined || B === undefined || C === undefined || D === undefined) throw new TypeError('shards');

const record = (number: number, arrivalTime = number * 1_000, data: Uint8Array = Buffer.from('{}')) => ({
  sequenceNumber: sequenceNumber(String(1_000 + number)),
  partitionKey: 'bus-1',
  data: Buffer.from(data),
  arrivalTime,
});
const records = (...numbers: readonly number[]): StreamRecord[] => numbers.map((number) => record(number));
const through = (number: number) => endOfRecord(record(number));

type Options = Omit<MemoryStreamOptions, 'clock' | 'shards'>;

/** A reading of these shards: what it took, and how it ends. */
function reading(
  shards: MemoryShard[],
  { isPolite = false, ...options }: Options & { isPolite?: boolean } = {},
) {
  const clock = virtualClock();
  const stream = memoryStream({ ...options, clock, shards });
  const batches: ReplayBatch[] = [];
  const source = streamSource(stream.access, { isPolite });
  const whole = { fromMs: 0, toMs: TO_MS, checkpoints: {}, signal: new AbortController().signal };
  const read = (query: Partial<SourceQuery> = {}, onBatch: (batch: ReplayBatch) => void = () => undefined) =>
    source.read({ ...whole, ...query }, async (batch) => {
      batches.push(batch);
      onBatch(batch);
    });
  return { clock, stream, batches, read, run: (query?: Partial<SourceQuery>) => clock.run(read(query)) };
}

/** Sequence numbers of entries, less the thousand, in the order in which they came. */
const numbersOf = (batches: readonly ReplayBatch[]) =>
  batches.flatMap(({ entries }) => entries.map((entry) => Number(entry.sequenceNumber) - 1_000));
const shardsOf = (batches: readonly ReplayBatch[]) =>
  batches.filter(({ entries }) => entries.length > 0).map((batch) => batch.shardId);

describe('the stream as a source', () => {
  test('gives a child of a merge after all of both parents, and a closed shard as done', async () => {
    const { batches, run } = reading(
      [
        { id: C, parents: [A, B], records: records(7, 8) },
        { id: B, isClosed: true, records: records(4) },
        { id: A, isClosed: true, records: records(1, 2, 3) },
      ],
      { pageRecords: 1 },
    );
    await run();
    expect(shardsOf(batches).slice(-2)).toEqual([C, C]);
    expect(numbersOf(batches).toSorted()).toEqual([1, 2, 3, 4, 7, 8]);
    expect(numbersOf(batches.filter((batch) => batch.shardId === A))).toEqual([1, 2, 3]);
    const last = batches.findLast((batch) => batch.shardId === A);
    expect(last).toMatchObject({ isLast: true, through: through(3) });
  });

  test('gives a child whose parent the retention has taken', async () => {
    const { batches, run } = reading([{ id: B, parents: [A], records: records(1) }]);
    await run();
    expect(numbersOf(batches)).toEqual([1]);
  });

  test('gives shards that a split opens while it reads, and what a split of those opens', async () => {
    const shards: MemoryShard[] = [{ id: A, isClosed: true, records: records(1) }];
    const { clock, batches, read } = reading(shards);
    const reads = read({ toMs: TEST_TIME_MS + 2_000 }, ({ shardId: of, isLast }) => {
      if (isLast !== true) return;
      if (of === A) shards.push({ id: B, parents: [A], isClosed: true, records: records(2) });
      if (of === B) {
        shards.push(
          { id: C, parents: [B], records: records(3) },
          { id: D, parents: [B], records: records(4) },
        );
      }
    });
    await clock.run(reads);
    expect(numbersOf(batches)).toEqual([1, 2, 3, 4]);
  });

  test('gives the children of a shard that ended since the listing, where the clock is past the end of the window', async () => {
    const shards: MemoryShard[] = [{ id: A, isClosed: true, records: records(1) }];
    const { clock, batches, read } = reading(shards);
    const reads = read({}, (batch) => {
      if (batch.shardId === A) shards.push({ id: B, parents: [A], records: records(2) });
    });
    await clock.run(reads);
    expect(numbersOf(batches)).toEqual([1, 2]);
  });

  test('gives the wanted shards alone', async () => {
    const { batches, run } = reading([
      { id: A, isClosed: true, records: records(1) },
      { id: B, parents: [A], records: records(2) },
    ]);
    await run({ shards: [B] });
    expect(numbersOf(batches)).toEqual([2]);
  });

  test('fails with what a batch fails with, and stops the other shards', async () => {
    const { clock, batches, read } = reading([
      { id: A, records: records(1) },
      { id: B, records: [] },
    ]);
    const reads = read({ toMs: TEST_TIME_MS + 3_600_000 }, (batch) => {
      if (batch.shardId === A) throw new Error('the table is full');
    });
    await expect(clock.run(reads)).rejects.toThrow('the table is full');
    const count = batches.length;
    await clock.advance(10_000);
    expect(batches).toHaveLength(count);
    expect(clock.now()).toBeLessThan(TEST_TIME_MS + 60_000);
  });
});

describe('the window of a stream', () => {
  test('holds arrivals from its beginning, which is included, to before its end', async () => {
    const { batches, stream, run } = reading([
      { id: A, records: [record(1, 4_999), record(2, 5_000), record(3, 7_999), record(4, 8_000)] },
    ]);
    await run({ fromMs: 5_000, toMs: 8_000 });
    expect(numbersOf(batches)).toEqual([2, 3]);
    expect(stream.starts).toEqual([`${A} AT_TIMESTAMP 5000`]);
  });

  test('begins with the oldest record where it has no beginning', async () => {
    const { stream, run } = reading([{ id: A, records: records(1) }]);
    await run();
    expect(stream.starts).toEqual([`${A} TRIM_HORIZON`]);
  });

  test('goes on after a checkpoint with whatever stands there, since arrivals may step back behind its beginning', async () => {
    const { batches, run } = reading([{ id: A, records: [record(1, 3_000), record(2, 2_999), record(3)] }]);
    await run({ fromMs: 3_000, checkpoints: { [A]: { through: through(1) } } });
    expect(numbersOf(batches)).toEqual([2, 3]);
  });

  test('ends before the first arrival after its end, and leaves what steps back behind that to a later run', async () => {
    const { batches, run } = reading([
      { id: A, records: [record(1, 99_000), record(2, TO_MS), record(3, 99_999)] },
    ]);
    await run();
    expect(numbersOf(batches)).toEqual([1]);
    expect(batches.at(-1)).toMatchObject({ through: through(1), isLast: false });
  });

  test('is read on to its end where that lies in the future, at most twice a second at the tip', async () => {
    const shard = { id: A, records: records(1) };
    const { clock, batches, stream, read } = reading([shard]);
    const toMs = TEST_TIME_MS + 2_000;
    const reads = read({ toMs });
    await clock.advance(700);
    shard.records.push(record(2, TEST_TIME_MS + 700));
    await clock.run(reads);
    expect(numbersOf(batches)).toEqual([1, 2]);
    expect(batches.map(({ isLast }) => isLast)).toEqual([...batches.slice(1).map(() => false), true]);
    const atTip = stream.readsMs.map((ms) => ms - TEST_TIME_MS);
    expect(atTip).toEqual([0, 0, 500, 1_000, 1_000, 1_500, 2_000]);
  });
});

describe('a bound of a shard', () => {
  test('is the last that is given, and ends the shard without another read', async () => {
    const { batches, stream, run } = reading([{ id: A, records: records(1, 2, 3, 4) }], { pageRecords: 3 });
    await run({ bound: () => through(2) });
    expect(numbersOf(batches)).toEqual([1, 2]);
    expect(stream.readsMs).toHaveLength(1);
  });

  test('ends the shard at its tip, long before the end of the window', async () => {
    const { clock, batches, run } = reading([{ id: A, records: records(1, 2) }]);
    await run({ toMs: Number.MAX_SAFE_INTEGER, bound: () => through(2) });
    expect(numbersOf(batches)).toEqual([1, 2]);
    expect(batches.at(-1)).toMatchObject({ isLast: true });
    expect(clock.now()).toBe(TEST_TIME_MS);
  });

  test('that is absent keeps the shard unread', async () => {
    const { batches, stream, run } = reading([
      { id: A, records: records(1) },
      { id: B, records: records(2) },
    ]);
    await run({ bound: (of) => (of === A ? undefined : through(9)) });
    expect(numbersOf(batches)).toEqual([2]);
    expect(stream.starts).toEqual([`${B} TRIM_HORIZON`]);
  });
});

describe('a checkpoint of a shard', () => {
  test('is where reading goes on, and a shard that is done is not read', async () => {
    const { batches, stream, run } = reading([
      { id: A, isClosed: true, records: records(1) },
      { id: B, parents: [A], records: records(2, 3) },
    ]);
    await run({ checkpoints: { [A]: { through: through(1), isDone: true }, [B]: { through: through(2) } } });
    expect(numbersOf(batches)).toEqual([3]);
    expect(stream.starts).toEqual([`${B} AFTER_SEQUENCE_NUMBER 1002`]);
  });

  test('inside an aggregated record is where that is read again', async () => {
    const events = [1, 2].map((at) => ({ partitionKey: 'bus-1', data: Buffer.from(`{"at":${at}}`) }));
    const { stream, batches, run } = reading([
      { id: A, records: [record(1, 1_000, encodeAggregate(events))] },
    ]);
    const { sequenceNumber: own } = record(1);
    await run({ checkpoints: { [A]: { through: { sequenceNumber: own, subSequenceNumber: 0 } } } });
    expect(stream.starts).toEqual([`${A} AT_SEQUENCE_NUMBER 1001`]);
    expect(batches[0]?.entries).toHaveLength(2);
  });
});

describe('reads of a shard', () => {
  test('go on after the last record where the iterator has expired, and from the beginning before any', async () => {
    const { clock, batches, stream, read } = reading([{ id: A, records: records(1, 2, 3) }], {
      pageRecords: 1,
    });
    const reads = read({}, () => {
      if (batches.length === 2) stream.expireIterators();
    });
    await clock.run(reads);
    expect(numbersOf(batches)).toEqual([1, 2, 3]);
    expect(stream.starts).toEqual([`${A} TRIM_HORIZON`, `${A} AFTER_SEQUENCE_NUMBER 1002`]);
  });

  test('leave others three of five reads a second, where they are polite', async () => {
    const { clock, stream, run } = reading([{ id: A, records: records(1, 2, 3) }], {
      pageRecords: 1,
      isPolite: true,
    });
    await run();
    expect(stream.readsMs.map((ms) => ms - TEST_TIME_MS)).toEqual([0, 500, 1_000]);
    expect(clock.now()).toBe(TEST_TIME_MS + 1_000);
  });

  test('leave others 60 % of the bytes, where they are polite', async () => {
    // A shard serves 2 MiB a second: 40 % of that serve this record in 1.25 s.
    const large = record(1, 1_000, Buffer.alloc(1_048_576));
    const { stream, run } = reading([{ id: A, records: [large, record(2)] }], {
      pageRecords: 1,
      isPolite: true,
    });
    await run();
    expect(stream.readsMs.map((ms) => ms - TEST_TIME_MS)).toEqual([0, 1_250]);
  });

  test('go on without a wait over answers without records before the tip', async () => {
    const { clock, batches, run } = reading([{ id: A, records: records(1, 2) }], {
      pageRecords: 1,
      emptyReads: 2,
    });
    await run();
    expect(numbersOf(batches)).toEqual([1, 2]);
    expect(clock.now()).toBe(TEST_TIME_MS);
  });

  test('fail with what the stream refuses them with, and do not begin again', async () => {
    const shard = { id: A, records: records(1, 2) };
    const { stream, read, clock } = reading([shard], { pageRecords: 1 });
    const reads = read({}, () => {
      Object.defineProperty(shard, 'records', {
        get: () => {
          throw new CodedError('ACCESS_DENIED', 'not allowed to decrypt');
        },
      });
    });
    await expect(clock.run(reads)).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    expect(stream.starts).toHaveLength(1);
  });

  test('follow each other without a wait where they are not polite', async () => {
    const { clock, run } = reading([{ id: A, records: records(1, 2, 3) }], { pageRecords: 1 });
    await run();
    expect(clock.now()).toBe(TEST_TIME_MS);
  });
});
