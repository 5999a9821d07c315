import { steppingClock } from '@twinstream/test-kit';
import { describe, expect, it } from 'vitest';
import {
  base64,
  call,
  iteratorOf,
  post,
  readShardTexts,
  readTexts,
  refusalOf,
  startServer,
} from './embedded-server.ts';

const HOUR_MS = 3_600_000;

async function clockedServer(shardCount = 1) {
  const clock = steppingClock();
  const server = await startServer({ clock });
  await call(server, 'CreateStream', { StreamName: 's', ShardCount: shardCount });
  const put = (text: string) =>
    call(server, 'PutRecord', { StreamName: 's', PartitionKey: 'k', Data: base64(text) });
  return { clock, server, put };
}

describe('retention', () => {
  it('trims records to the millisecond, by arrival', async () => {
    const { clock, server, put } = await clockedServer();
    await put('1');
    clock.advance(1);
    await put('2');
    clock.advance(24 * HOUR_MS - 1);
    expect(await readTexts(server, 's')).toEqual([['1', '2']]);
    clock.advance(1);
    expect(await readTexts(server, 's')).toEqual([['2']]);
    clock.advance(1);
    expect(await readTexts(server, 's')).toEqual([[]]);
  });

  it('does not bring back what was trimmed when it grows', async () => {
    const { clock, server, put } = await clockedServer();
    await put('gone');
    clock.advance(25 * HOUR_MS);
    await put('kept');
    await call(server, 'IncreaseStreamRetentionPeriod', { StreamName: 's', RetentionPeriodHours: 168 });
    expect(await readTexts(server, 's')).toEqual([['kept']]);
    clock.advance(100 * HOUR_MS);
    expect(await readTexts(server, 's')).toEqual([['kept']]);
  });

  it('trims immediately when it shrinks', async () => {
    const { clock, server, put } = await clockedServer();
    await call(server, 'IncreaseStreamRetentionPeriod', { StreamName: 's', RetentionPeriodHours: 168 });
    await put('1');
    clock.advance(48 * HOUR_MS);
    await put('2');
    expect(await readTexts(server, 's')).toEqual([['1', '2']]);
    await call(server, 'DecreaseStreamRetentionPeriod', { StreamName: 's', RetentionPeriodHours: 24 });
    expect(await readTexts(server, 's')).toEqual([['2']]);
  });

  it('moves an iterator that stands on trimmed records to the first that is left', async () => {
    const { clock, server, put } = await clockedServer();
    const { SequenceNumber } = await put('1');
    clock.advance(23 * HOUR_MS);
    await put('2');
    clock.advance(2 * HOUR_MS);
    const types = [
      { ShardIteratorType: 'TRIM_HORIZON' },
      { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: SequenceNumber },
      { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: 0 },
    ];
    for (const type of types) {
      expect(await readShardTexts(server, await iteratorOf(server, 's', 0, type))).toEqual(['2']);
    }
  });

  it('forgets closed shards when all they held is gone, and their children keep naming them', async () => {
    const { clock, server, put } = await clockedServer();
    await put('1');
    clock.advance(10);
    await call(server, 'SplitShard', {
      StreamName: 's',
      ShardToSplit: 'shardId-000000000000',
      NewStartingHashKey: '1000',
    });
    const ids = async () =>
      (await call(server, 'ListShards', { StreamName: 's' })).Shards.map(
        (shard: { ShardId: string }) => shard.ShardId,
      );
    clock.advance(24 * HOUR_MS);
    expect(await ids()).toHaveLength(3);
    clock.advance(1);
    expect(await ids()).toEqual(['shardId-000000000001', 'shardId-000000000002']);
    const { Shards } = await call(server, 'ListShards', { StreamName: 's' });
    expect(Shards[0].ParentShardId).toBe('shardId-000000000000');
    const request = { StreamName: 's', ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' };
    expect(await refusalOf(server, 'GetShardIterator', request)).toBe('ResourceNotFoundException');
  });

  it('keeps sequence numbers rising after everything was trimmed', async () => {
    const { clock, server, put } = await clockedServer();
    const first = (await put('1')).SequenceNumber;
    clock.advance(25 * HOUR_MS);
    await call(server, 'DescribeStream', { StreamName: 's' });
    const second = (await put('2')).SequenceNumber;
    expect(second > first).toBe(true);
    const start = { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: first };
    expect(await readShardTexts(server, await iteratorOf(server, 's', 0, start))).toEqual(['2']);
  });
});

describe('time', () => {
  it('never lets a record arrive before one that precedes it, even when the clock steps back', async () => {
    const { clock, server, put } = await clockedServer();
    await put('1');
    clock.advance(-5_000);
    await put('2');
    const [first, second] = server.records('s')[0]?.records ?? [];
    expect(second?.arrivalMs).toBe(first?.arrivalMs);
    expect(`${second?.sequenceNumber}` > `${first?.sequenceNumber}`).toBe(true);
  });

  it('ends an iterator after 5 minutes', async () => {
    const { clock, server } = await clockedServer();
    const ShardIterator = await iteratorOf(server, 's');
    clock.advance(300_000);
    expect(await refusalOf(server, 'GetRecords', { ShardIterator })).toBe('it was not refused');
    clock.advance(1);
    const { body } = await post(server, 'GetRecords', JSON.stringify({ ShardIterator }));
    expect(JSON.parse(body.toString())).toEqual({
      __type: 'ExpiredIteratorException',
      message:
        'Iterator expired. The iterator was created at time Mon Nov 02 08:00:00 UTC 2026 while right now it is Mon Nov 02 ' +
        '08:05:00 UTC 2026 which is further in the future than the tolerated delay of 300000 milliseconds.',
    });
  });

  it('ends a page token after 5 minutes', async () => {
    const { clock, server } = await clockedServer(3);
    const { NextToken } = await call(server, 'ListShards', { StreamName: 's', MaxResults: 1 });
    clock.advance(300_000);
    expect(await refusalOf(server, 'ListShards', { NextToken })).toBe('it was not refused');
    clock.advance(1);
    expect(await refusalOf(server, 'ListShards', { NextToken })).toBe('ExpiredNextTokenException');
    expect(await refusalOf(server, 'ListShards', { NextToken: 'none' })).toBe('InvalidArgumentException');
  });

  it('says by how much a reader is behind the tip', async () => {
    const { clock, server, put } = await clockedServer();
    await put('1');
    clock.advance(4_000);
    await put('2');
    clock.advance(1_000);
    const first = await call(server, 'GetRecords', {
      ShardIterator: await iteratorOf(server, 's'),
      Limit: 1,
    });
    expect(first.MillisBehindLatest).toBe(5_000);
    const second = await call(server, 'GetRecords', { ShardIterator: first.NextShardIterator, Limit: 1 });
    expect(second.MillisBehindLatest).toBe(0);
  });
});
