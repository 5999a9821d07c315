import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { describe, expect, it } from 'vitest';
import { batchVerdict } from '../../src/lambda/batch-answer.ts';
import { eventRecordWriter } from '../../src/lambda/kinesis-event.ts';

const write = eventRecordWriter(
  { streamArn: 'arn:stream', region: 'us-east-1', roleArn: 'arn:role' },
  shardId('shardId-000000000000'),
);
const batch = ['98', '99', '100', '101'].map((number) =>
  write({
    sequenceNumber: sequenceNumber(number),
    partitionKey: 'a',
    data: 'aGVsbG8=',
    approximateArrivalTimestamp: 1.5,
  }),
);
const named = (...identifiers: unknown[]) =>
  JSON.stringify({ batchItemFailures: identifiers.map((itemIdentifier) => ({ itemIdentifier })) });

describe('an answer recorded as success', () => {
  it.each([
    ['an empty text', '""'],
    ['an empty list', '[]'],
    ['null', 'null'],
    ['an empty object', '{}'],
    ['an empty batchItemFailures', '{"batchItemFailures":[]}'],
    ['a null batchItemFailures', '{"batchItemFailures":null}'],
    ['nothing at all', ''],
  ])('%s', (_name, answer) => {
    expect(batchVerdict(answer, batch)).toEqual({ kind: 'success' });
  });
});

describe('an answer recorded as failure of the whole batch', () => {
  it.each([
    ['an unknown itemIdentifier', named('97')],
    ['an empty itemIdentifier', named('')],
    ['a null itemIdentifier', named(null)],
    ['a wrong key', '{"batchItemFailures":[{"foo":"99"}]}'],
    ['an entry that is not an object', '{"batchItemFailures":["99"]}'],
    ['a number for an itemIdentifier', named(99)],
    ['one known and one unknown itemIdentifier', named('99', 'nonsense')],
  ])('%s', (_name, answer) => {
    expect(batchVerdict(answer, batch)).toEqual({ kind: 'failure' });
  });
});

describe('the checkpoint', () => {
  it('is the lowest sequence number named, compared as numbers and not as text', () => {
    expect(batchVerdict(named('101', '100', '99'), batch)).toEqual({ kind: 'failed-from', index: 1 });
    expect(batchVerdict(named('100'), batch)).toEqual({ kind: 'failed-from', index: 2 });
  });

  it('is the first record when that is named', () => {
    expect(batchVerdict(named('98', '98'), batch)).toEqual({ kind: 'failed-from', index: 0 });
  });
});
