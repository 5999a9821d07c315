import {
  PutRecordCommand,
  PutRecordsCommand,
  type PutRecordsRequestEntry,
  type Shard,
} from '@aws-sdk/client-kinesis';
import { contains, HASH_KEY_MAX, hashKey } from '@twinstream/stream-model';
import { expect } from 'vitest';
import { type Facts, present, refusal, type Stage } from './subject.ts';

const MIB = 1024 * 1024;

function shardOf(shards: readonly Shard[], key: bigint): string | undefined {
  return shards.find(({ HashKeyRange }) =>
    contains(
      {
        start: BigInt(present(HashKeyRange?.StartingHashKey)),
        end: BigInt(present(HashKeyRange?.EndingHashKey)),
      },
      key,
    ),
  )?.ShardId;
}

/** Everything a stream of a few records holds, by shard. */
async function contents(stage: Stage, name: string, count: number) {
  const all = [];
  for (const { ShardId } of await stage.shards(name)) {
    const iterator = await stage.iterator(name, present(ShardId), 'TRIM_HORIZON');
    all.push(...(await stage.readUntil(iterator, count)));
  }
  return all;
}

const refusedRecords: Readonly<Record<string, PutRecordsRequestEntry>> = {
  'an empty partition key': { Data: Buffer.from('x'), PartitionKey: '' },
  'a partition key of 257 characters': { Data: Buffer.from('x'), PartitionKey: 'k'.repeat(257) },
  'data above 1 MiB': { Data: Buffer.alloc(MIB + 1), PartitionKey: 'k' },
  'an explicit hash key that is not a number': {
    Data: Buffer.from('x'),
    PartitionKey: 'k',
    ExplicitHashKey: '0x1',
  },
  'an explicit hash key of 2^128': {
    Data: Buffer.from('x'),
    PartitionKey: 'k',
    ExplicitHashKey: `${HASH_KEY_MAX + 1n}`,
  },
};

const refusals: Facts = Object.fromEntries(
  Object.entries(refusedRecords).map(([name, record]) => [
    `${name} is refused, and the whole request with it`,
    async (stage: Stage) => {
      const StreamName = await stage.stream(1);
      const fine = { Data: Buffer.from('fine'), PartitionKey: 'fine' };
      const names = [
        await refusal(stage.client.send(new PutRecordCommand({ StreamName, ...record }))),
        await refusal(stage.client.send(new PutRecordsCommand({ StreamName, Records: [fine, record] }))),
      ];
      for (const refused of names)
        expect(refused).toMatch(/^(ValidationException|InvalidArgumentException)$/);
      await stage.put(StreamName, 'after');
      expect(await contents(stage, StreamName, 1)).toMatchObject([{ key: 'after' }]);
    },
  ]),
);

export const putFacts: Facts = {
  'a record goes to the shard that its partition key hashes to': async (stage) => {
    const name = await stage.stream(3);
    const shards = await stage.shards(name);
    for (const key of ['a', 'bus-2619', '10', 'é😀', 'a"b\\c\n']) {
      const { ShardId, SequenceNumber } = await stage.put(name, key);
      expect(ShardId).toBe(shardOf(shards, hashKey(key)));
      expect(SequenceNumber).toMatch(/^\d{56}$/);
    }
  },

  'an explicit hash key outranks the partition key': async (stage) => {
    const StreamName = await stage.stream(2);
    const ends = (await stage.shards(StreamName)).flatMap(({ ShardId, HashKeyRange }) => [
      { ShardId, key: present(HashKeyRange?.StartingHashKey) },
      { ShardId, key: present(HashKeyRange?.EndingHashKey) },
    ]);
    const { Records = [] } = await stage.client.send(
      new PutRecordsCommand({
        StreamName,
        Records: ends.map(({ key }) => ({
          ExplicitHashKey: key,
          PartitionKey: 'same',
          Data: Buffer.from('x'),
        })),
      }),
    );
    expect(Records.map(({ ShardId }) => ShardId)).toEqual(ends.map(({ ShardId }) => ShardId));
  },

  'PutRecords answers each record in its place': async (stage) => {
    const StreamName = await stage.stream(3);
    const shards = await stage.shards(StreamName);
    const keys = Array.from({ length: 50 }, (_, index) => `key-${index}`);
    const answer = await stage.client.send(
      new PutRecordsCommand({
        StreamName,
        Records: keys.map((key) => ({ PartitionKey: key, Data: Buffer.from(key) })),
      }),
    );
    expect(answer.FailedRecordCount).toBe(0);
    expect(answer.Records?.map(({ ShardId }) => ShardId)).toEqual(
      keys.map((key) => shardOf(shards, hashKey(key))),
    );
    const stored = await contents(stage, StreamName, 0);
    const numberOf = new Map(stored.map(({ key, number }) => [key, number]));
    expect(answer.Records?.map(({ SequenceNumber }) => SequenceNumber)).toEqual(
      keys.map((key) => numberOf.get(key)),
    );
  },

  'records that are put one after the other are read in that order, by rising sequence numbers': async (
    stage,
  ) => {
    const name = await stage.stream(1);
    const put = [];
    for (let index = 0; index < 20; index += 1)
      put.push(await stage.put(name, `key-${index % 3}`, `${index}`));
    const iterator = await stage.iterator(name, 'shardId-000000000000', 'TRIM_HORIZON');
    const read = await stage.readUntil(iterator, 20);
    expect(read.map(({ text }) => text)).toEqual(put.map((_, index) => `${index}`));
    expect(read.map(({ number }) => number)).toEqual(put.map(({ SequenceNumber }) => SequenceNumber));
    const rising = [...read].sort((a, b) => (BigInt(a.number) < BigInt(b.number) ? -1 : 1));
    expect(rising).toEqual(read);
  },

  'data and partition keys come back byte for byte': async (stage) => {
    const StreamName = await stage.stream(1);
    const Data = Buffer.from(Array.from({ length: 1000 }, (_, index) => (index * 31) % 256));
    const keys = ['é😀', '"quoted"\\', 'k'.repeat(256), '\u0000'];
    for (const PartitionKey of keys) {
      await stage.client.send(new PutRecordCommand({ StreamName, PartitionKey, Data }));
    }
    const iterator = await stage.iterator(StreamName, 'shardId-000000000000', 'TRIM_HORIZON');
    expect((await stage.readUntil(iterator, keys.length)).map(({ key }) => key)).toEqual(keys);
    const { Records = [] } = await stage.read(
      await stage.iterator(StreamName, 'shardId-000000000000', 'TRIM_HORIZON'),
    );
    for (const record of Records) expect(Buffer.from(present(record.Data)).equals(Data)).toBe(true);
  },

  'a record may be empty': async (stage) => {
    const name = await stage.stream(1);
    await stage.put(name, 'k', '');
    const iterator = await stage.iterator(name, 'shardId-000000000000', 'TRIM_HORIZON');
    expect(await stage.readUntil(iterator, 1)).toMatchObject([{ key: 'k', text: '' }]);
  },

  'PutRecords takes 500 records and no more, and not none': async (stage) => {
    const StreamName = await stage.stream(1);
    const put = (count: number) =>
      stage.client.send(
        new PutRecordsCommand({
          StreamName,
          Records: Array.from({ length: count }, (_, index) => ({
            PartitionKey: `${index}`,
            Data: Buffer.from('x'),
          })),
        }),
      );
    expect((await put(500)).FailedRecordCount).toBe(0);
    for (const count of [501, 0]) {
      expect(await refusal(put(count))).toMatch(/^(ValidationException|InvalidArgumentException)$/);
    }
  },

  'PutRecords refuses more than 10 MiB': async (stage) => {
    const StreamName = await stage.stream(1);
    const Records = Array.from({ length: 11 }, () => ({ PartitionKey: 'k', Data: Buffer.alloc(MIB - 1) }));
    expect(await refusal(stage.client.send(new PutRecordsCommand({ StreamName, Records })))).toMatch(
      /^(ValidationException|InvalidArgumentException)$/,
    );
  },

  ...refusals,
};
