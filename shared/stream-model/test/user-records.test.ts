import { AGGREGATE_MAGIC, encodeAggregate, openRecord } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';

const partitionKey = 'lane-0';
const aggregate = encodeAggregate([
  { partitionKey: '10', data: Buffer.from('a') },
  { partitionKey: '2', data: Buffer.alloc(0) },
  { partitionKey: '10', data: Buffer.from('c') },
]);

describe('opening a record', () => {
  test('a plain record is its own one entry', () => {
    const data = Buffer.from('{"v":1}');
    expect(openRecord({ partitionKey, data })).toEqual({
      status: 'plain',
      entries: [{ subSequenceNumber: 0, partitionKey, data }],
    });
  });

  test('a record without bytes is one entry without bytes', () => {
    const data = Buffer.alloc(0);
    expect(openRecord({ partitionKey, data }).entries).toEqual([
      { subSequenceNumber: 0, partitionKey, data },
    ]);
  });

  test('an aggregated record gives every entry its index, its own key and its bytes', () => {
    const { status, entries } = openRecord({ partitionKey, data: aggregate });
    expect(status).toBe('aggregated');
    expect(entries.map((entry) => ({ ...entry, data: Buffer.from(entry.data).toString() }))).toEqual([
      { subSequenceNumber: 0, partitionKey: '10', data: 'a' },
      { subSequenceNumber: 1, partitionKey: '2', data: '' },
      { subSequenceNumber: 2, partitionKey: '10', data: 'c' },
    ]);
  });

  test('an aggregated record without entries gives none', () => {
    expect(openRecord({ partitionKey, data: encodeAggregate([]) })).toEqual({
      status: 'aggregated',
      entries: [],
    });
  });

  test('an aggregate that names a key beyond 256 characters is damaged, whole', () => {
    const keyed = (key: string) => encodeAggregate([{ partitionKey: key, data: Buffer.from('a') }]);
    expect(openRecord({ partitionKey, data: keyed('\u{1F68C}'.repeat(256)) }).status).toBe('aggregated');
    const data = keyed('x'.repeat(257));
    expect(openRecord({ partitionKey, data })).toEqual({
      status: 'damaged',
      damage: 'partition-key-too-long',
      entries: [{ subSequenceNumber: 0, partitionKey, data }],
    });
  });

  test.each([
    ['truncated', Buffer.from(AGGREGATE_MAGIC)],
    ['checksum-mismatch', Buffer.from(aggregate).fill(0, aggregate.length - 1)],
  ])('a damaged aggregate (%s) is one entry, whole', (damage, data) => {
    expect(openRecord({ partitionKey, data })).toEqual({
      status: 'damaged',
      damage,
      entries: [{ subSequenceNumber: 0, partitionKey, data }],
    });
  });
});
