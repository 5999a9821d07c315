import { GetRecordsCommand, GetShardIteratorCommand } from '@aws-sdk/client-kinesis';
import { expect } from 'vitest';
import { type Facts, present, refusal, type Stage } from './subject.ts';

const SHARD = 'shardId-000000000000';

/** A stream of one shard with these records, put one after the other. */
async function streamOf(stage: Stage, texts: readonly string[]) {
  const name = await stage.stream(1);
  const numbers = [];
  for (const text of texts) numbers.push((await stage.put(name, 'k', text)).SequenceNumber);
  return { name, numbers };
}

async function texts(stage: Stage, iterator: string, count: number) {
  return (await stage.readUntil(iterator, count)).map(({ text }) => text);
}

export const readFacts: Facts = {
  'TRIM_HORIZON reads from the first record': async (stage) => {
    const { name } = await streamOf(stage, ['1', '2', '3']);
    expect(await texts(stage, await stage.iterator(name, SHARD, 'TRIM_HORIZON'), 3)).toEqual(['1', '2', '3']);
  },

  'LATEST reads what comes afterwards': async (stage) => {
    const { name } = await streamOf(stage, ['before']);
    const latest = await stage.iterator(name, SHARD, 'LATEST');
    const { Records, NextShardIterator, MillisBehindLatest } = await stage.read(latest);
    expect({ Records, MillisBehindLatest }).toEqual({ Records: [], MillisBehindLatest: 0 });
    await stage.put(name, 'k', 'after');
    expect(await texts(stage, present(NextShardIterator), 1)).toEqual(['after']);
    expect(await texts(stage, latest, 1)).toEqual(['after']);
  },

  'AT_SEQUENCE_NUMBER reads from a record on, AFTER_SEQUENCE_NUMBER from the one behind it': async (
    stage,
  ) => {
    const { name, numbers } = await streamOf(stage, ['1', '2', '3']);
    const start = { StartingSequenceNumber: present(numbers[1]) };
    const at = await stage.iterator(name, SHARD, 'AT_SEQUENCE_NUMBER', start);
    expect(await texts(stage, at, 2)).toEqual(['2', '3']);
    const after = await stage.iterator(name, SHARD, 'AFTER_SEQUENCE_NUMBER', start);
    expect(await texts(stage, after, 1)).toEqual(['3']);
  },

  "a shard's starting sequence number is where reading may begin": async (stage) => {
    const { name } = await streamOf(stage, ['1', '2']);
    const [shard] = await stage.shards(name);
    const start = { StartingSequenceNumber: present(shard?.SequenceNumberRange?.StartingSequenceNumber) };
    expect(await texts(stage, await stage.iterator(name, SHARD, 'AT_SEQUENCE_NUMBER', start), 2)).toEqual([
      '1',
      '2',
    ]);
  },

  'AT_TIMESTAMP reads from the first record that arrived then or later': async (stage) => {
    const { name } = await streamOf(stage, ['1']);
    const trimHorizon = await stage.iterator(name, SHARD, 'TRIM_HORIZON');
    await stage.readUntil(trimHorizon, 1);
    await stage.put(name, 'k', '2');
    await stage.readUntil(trimHorizon, 2);
    const { Records = [] } = await stage.read(trimHorizon);
    const arrivals = Records.map(({ ApproximateArrivalTimestamp }) => present(ApproximateArrivalTimestamp));
    const [first, second] = arrivals;
    expect(present(first).getTime()).toBeLessThan(present(second).getTime());
    const from = async (Timestamp: Date, count: number) =>
      texts(stage, await stage.iterator(name, SHARD, 'AT_TIMESTAMP', { Timestamp }), count);
    expect(await from(present(second), 1)).toEqual(['2']);
    expect(await from(new Date(present(second).getTime() - 1), 1)).toEqual(['2']);
    expect(await from(present(first), 2)).toEqual(['1', '2']);
    expect(await from(new Date(0), 2)).toEqual(['1', '2']);
  },

  'AT_TIMESTAMP past the last record reads nothing, then what comes': async (stage) => {
    const { name } = await streamOf(stage, ['before']);
    await stage.readUntil(await stage.iterator(name, SHARD, 'TRIM_HORIZON'), 1);
    const iterator = await stage.iterator(name, SHARD, 'AT_TIMESTAMP', { Timestamp: new Date() });
    const { Records, NextShardIterator } = await stage.read(iterator);
    expect(Records).toEqual([]);
    await stage.put(name, 'k', 'after');
    expect(await texts(stage, present(NextShardIterator), 1)).toEqual(['after']);
  },

  'AT_TIMESTAMP in the future is refused': async (stage) => {
    const name = await stage.stream(1);
    const Timestamp = new Date(Date.now() + 3_600_000);
    expect(await refusal(stage.iterator(name, SHARD, 'AT_TIMESTAMP', { Timestamp }))).toBe(
      'InvalidArgumentException',
    );
  },

  'Limit bounds a read, the next iterator goes on behind it, and MillisBehindLatest says what is left':
    async (stage) => {
      const { name } = await streamOf(stage, ['1', '2', '3']);
      const iterator = await stage.iterator(name, SHARD, 'TRIM_HORIZON');
      const first = await stage.read(iterator, 2);
      expect(first.Records).toHaveLength(2);
      expect(first.MillisBehindLatest).toBeGreaterThanOrEqual(0);
      const second = await stage.read(present(first.NextShardIterator), 2);
      expect(second).toMatchObject({
        Records: [{ SequenceNumber: expect.anything() }],
        MillisBehindLatest: 0,
      });
      expect((await stage.read(present(second.NextShardIterator), 2)).Records).toEqual([]);
    },

  'an iterator may be used again and reads the same': async (stage) => {
    const { name } = await streamOf(stage, ['1', '2']);
    const iterator = await stage.iterator(name, SHARD, 'TRIM_HORIZON');
    expect(await texts(stage, iterator, 2)).toEqual(['1', '2']);
    expect(await texts(stage, iterator, 2)).toEqual(['1', '2']);
  },

  'a record tells when it arrived': async (stage) => {
    const before = Date.now();
    const { name } = await streamOf(stage, ['1']);
    const after = Date.now();
    const iterator = await stage.iterator(name, SHARD, 'TRIM_HORIZON');
    await stage.readUntil(iterator, 1);
    const { Records = [] } = await stage.read(iterator);
    const arrival = present(Records[0]?.ApproximateArrivalTimestamp).getTime();
    // Clocks of another machine may differ.
    expect(arrival).toBeGreaterThan(before - 10_000);
    expect(arrival).toBeLessThan(after + 10_000);
  },

  'a limit above 10,000 and one of 0 are refused': async (stage) => {
    const iterator = await stage.iterator(await stage.stream(1), SHARD, 'LATEST');
    for (const limit of [10_001, 0]) {
      expect(await refusal(stage.read(iterator, limit))).toMatch(
        /^(ValidationException|InvalidArgumentException)$/,
      );
    }
  },

  'an invalid iterator is refused': async (stage) => {
    const ShardIterator = 'AAAAAAAAAAFub3QgYW4gaXRlcmF0b3I=';
    expect(await refusal(stage.client.send(new GetRecordsCommand({ ShardIterator })))).toBe(
      'InvalidArgumentException',
    );
  },

  'an iterator of a shard that is not there is refused': async (stage) => {
    const name = await stage.stream(1);
    expect(await refusal(stage.iterator(name, 'shardId-000000000007', 'LATEST'))).toBe(
      'ResourceNotFoundException',
    );
  },

  'a sequence number of another shard is refused': async (stage) => {
    const name = await stage.stream(2);
    const { ShardId, SequenceNumber } = await stage.put(name, 'k');
    const other = ShardId === SHARD ? 'shardId-000000000001' : SHARD;
    const start = { StartingSequenceNumber: SequenceNumber };
    expect(await refusal(stage.iterator(name, other, 'AT_SEQUENCE_NUMBER', start))).toBe(
      'InvalidArgumentException',
    );
  },

  'an iterator type without what it needs is refused': async (stage) => {
    const StreamName = await stage.stream(1);
    for (const ShardIteratorType of [
      'AT_SEQUENCE_NUMBER',
      'AFTER_SEQUENCE_NUMBER',
      'AT_TIMESTAMP',
    ] as const) {
      const command = new GetShardIteratorCommand({ StreamName, ShardId: SHARD, ShardIteratorType });
      expect(await refusal(stage.client.send(command))).toBe('InvalidArgumentException');
    }
  },
};
