import { type SequenceNumber, sequenceNumber, shardId } from '@twinstream/stream-model';
import { testSequenceNumber } from '@twinstream/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ShardProgress, ShardProgressTable } from '../src/shard-progress-table.ts';

export interface OpenShardProgressTable {
  readonly table: ShardProgressTable;
  close?(): Promise<void>;
}

const [SHARD, CHILD] = [shardId('shardId-000000000000'), shardId('shardId-000000000001')];

/** What every shard-progress table must do. `open` is called once; each test uses a stream of its own. */
export function describeShardProgressTable(open: () => Promise<OpenShardProgressTable>): void {
  let opened: OpenShardProgressTable;
  let table: ShardProgressTable;
  let streams = 0;
  const newStream = () => {
    streams += 1;
    return `stream-${streams}`;
  };
  const progressTo = (
    finishedThrough: SequenceNumber,
    changes: Partial<ShardProgress> = {},
  ): ShardProgress => ({
    shardId: SHARD,
    finishedThrough,
    arrivalTime: 1_490_072_431_123,
    updatedTime: 1_490_072_432_000,
    ...changes,
  });

  beforeAll(async () => {
    opened = await open();
    table = opened.table;
  });
  afterAll(() => opened?.close?.());

  describe('shard progress', () => {
    it('is none before anything was finished', async () => {
      expect(await table.read(newStream())).toEqual([]);
    });

    it('moves forward, and never back', async () => {
      const stream = newStream();
      const [first, second] = [testSequenceNumber(1), testSequenceNumber(2)];
      expect((await table.advance(stream, progressTo(first))).outcome).toBe('advanced');
      expect((await table.advance(stream, progressTo(second))).outcome).toBe('advanced');
      expect((await table.advance(stream, progressTo(second))).outcome).toBe('already-past');
      expect((await table.advance(stream, progressTo(first))).outcome).toBe('already-past');
      expect(await table.read(stream)).toEqual([progressTo(second)]);
    });

    it('tells what stood there before', async () => {
      const stream = newStream();
      const [first, second] = [testSequenceNumber(1), testSequenceNumber(2)];
      expect(await table.advance(stream, progressTo(first))).toEqual({ outcome: 'advanced' });
      expect(await table.advance(stream, progressTo(second))).toEqual({ outcome: 'advanced', before: first });
      expect(await table.advance(stream, progressTo(first))).toEqual({ outcome: 'already-past' });
    });

    it('knows that a longer sequence number is a later one', async () => {
      const stream = newStream();
      expect((await table.advance(stream, progressTo(sequenceNumber('9')))).outcome).toBe('advanced');
      expect((await table.advance(stream, progressTo(sequenceNumber('10')))).outcome).toBe('advanced');
      const longest = sequenceNumber(`1${'0'.repeat(128)}`);
      expect((await table.advance(stream, progressTo(longest))).outcome).toBe('advanced');
      expect((await table.advance(stream, progressTo(sequenceNumber('9'.repeat(128))))).outcome).toBe(
        'already-past',
      );
      expect(await table.read(stream)).toEqual([progressTo(longest)]);
    });

    it('ends at the furthest of many that are written concurrently', async () => {
      const stream = newStream();
      const numbers = Array.from({ length: 10 }, (_, at) => testSequenceNumber(at));
      await Promise.all(numbers.toReversed().map((number) => table.advance(stream, progressTo(number))));
      expect(await table.read(stream)).toEqual([progressTo(testSequenceNumber(9))]);
    });

    it('keeps the shards of a stream, and streams, apart', async () => {
      const [stream, other] = [newStream(), newStream()];
      const child = progressTo(testSequenceNumber(5), { shardId: CHILD });
      await table.advance(stream, progressTo(testSequenceNumber(7)));
      await table.advance(stream, child);
      await table.advance(other, progressTo(testSequenceNumber(1)));
      expect(await table.read(stream)).toEqual([progressTo(testSequenceNumber(7)), child]);
      expect(await table.read(other)).toEqual([progressTo(testSequenceNumber(1))]);
    });

    it('remembers parents once they are known', async () => {
      const stream = newStream();
      const child = (at: number, changes: Partial<ShardProgress> = {}) =>
        progressTo(testSequenceNumber(at), { shardId: CHILD, ...changes });
      await table.advance(stream, child(1));
      await table.advance(stream, child(2, { parents: [SHARD] }));
      await table.advance(stream, child(3));
      expect(await table.read(stream)).toEqual([child(3, { parents: [SHARD] })]);
      await table.advance(stream, progressTo(testSequenceNumber(1), { parents: [] }));
      expect((await table.read(stream))[0]?.parents).toEqual([]);
    });

    it('rejects with the reason of an aborted signal', async () => {
      const reason = new Error('the deadline is near');
      const signal = AbortSignal.abort(reason);
      const stream = newStream();
      await expect(table.advance(stream, progressTo(testSequenceNumber(1)), signal)).rejects.toBe(reason);
      await expect(table.read(stream, signal)).rejects.toBe(reason);
      expect(await table.read(stream)).toEqual([]);
    });
  });
}
