import { type KinesisLambdaEvent, readBatch, sequenceNumber, unfinishedFrom } from '@twinstream/stream-model';
import { lambdaBatch, lambdaContext } from '@twinstream/stream-model/testing';
import { describe, expect, test } from 'vitest';

const arrivalTime = Date.parse('2026-11-23T05:00:00.123Z');
const source = (number: string, data: Uint8Array | string = '{}') => ({
  sequenceNumber: number,
  partitionKey: 'bus-1',
  data,
  arrivalTime,
});

function withRecord(index: number, changes: object): KinesisLambdaEvent {
  const { Records } = lambdaBatch({ records: [source('1'), source('2')] });
  return { Records: Records.map((record, at) => (at === index ? { ...record, ...changes } : record)) };
}

describe('reading a batch', () => {
  test('gives the stream, the shard and the records, decoded', () => {
    const data = Buffer.from([0, 255, 10]);
    const event = lambdaBatch({
      streamName: 'fleet.a_b-c',
      shardId: 'shardId-000000000007',
      records: [source('9', data), source('10')],
    });
    expect(readBatch(event)).toEqual({
      streamName: 'fleet.a_b-c',
      shardId: 'shardId-000000000007',
      records: [
        { sequenceNumber: '9', partitionKey: 'bus-1', data, arrivalTime },
        { sequenceNumber: '10', partitionKey: 'bus-1', data: Buffer.from('{}'), arrivalTime },
      ],
    });
  });

  test('gives arrivals as whole milliseconds, every one of a day', () => {
    const times = Array.from({ length: 69_847 }, (_, index) => arrivalTime + index * 1_237);
    const records = times.map((time, index) => ({ ...source(String(index)), arrivalTime: time }));
    expect(readBatch(lambdaBatch({ records })).records.map((record) => record.arrivalTime)).toEqual(times);
  });

  test('reads the stream from the ARN of a registered consumer, too', () => {
    const event = lambdaBatch({ records: [source('1')] });
    const consumer = 'arn:aws-cn:kinesis:cn-north-1:123456789012:stream/fleet/consumer/projector:1700000000';
    const Records = event.Records.map((record) => ({ ...record, eventSourceARN: consumer }));
    expect(readBatch({ Records }).streamName).toBe('fleet');
  });

  test('compares sequence numbers as numbers of any length, not as text', () => {
    const large = '49590338271490256608559692538361571095921575989136588898';
    const { records, disorder } = readBatch(
      lambdaBatch({ records: [source('9'), source('10'), source(large)] }),
    );
    expect(records.length).toBe(3);
    expect(disorder).toBeUndefined();
  });

  test.each([
    ['falls', '1'],
    ['repeats', '2'],
  ])('ends before a record whose sequence number %s, and names it', (_, third) => {
    const event = lambdaBatch({ records: [source('1'), source('2'), source(third), source('4')] });
    const { records, disorder } = readBatch(event);
    expect(records.map((record) => record.sequenceNumber)).toEqual(['1', '2']);
    expect(disorder).toEqual({ index: 2, sequenceNumber: third });
  });

  test('refuses a batch of two shards or of two streams', () => {
    expect(() => readBatch(withRecord(1, { eventID: 'shardId-000000000001:2' }))).toThrow(RangeError);
    const eventSourceARN = 'arn:aws:kinesis:us-east-1:123456789012:stream/another';
    expect(() => readBatch(withRecord(1, { eventSourceARN }))).toThrow(RangeError);
  });

  test('refuses anything but a batch of a stream', () => {
    expect(() => readBatch({ Records: [] })).toThrow('at least one record');
    expect(() => readBatch(withRecord(0, { eventID: 'none' }))).toThrow('not a shard id');
    expect(() => readBatch(withRecord(0, { eventSourceARN: 'arn:aws:sqs:us-east-1:1:queue' }))).toThrow(
      'not the ARN',
    );
  });
});

describe('the answer to a batch', () => {
  test('names the earliest unfinished record', () => {
    expect(unfinishedFrom(sequenceNumber('42'))).toEqual({ batchItemFailures: [{ itemIdentifier: '42' }] });
  });

  test('acknowledges everything when nothing is unfinished', () => {
    expect(unfinishedFrom(undefined)).toEqual({ batchItemFailures: [] });
  });
});

test('a context of Lambda has a minute left unless said otherwise', () => {
  expect(lambdaContext().getRemainingTimeInMillis()).toBe(60_000);
  expect(lambdaContext(() => 5).getRemainingTimeInMillis()).toBe(5);
});
