import { createHash } from 'node:crypto';
import {
  AGGREGATE_MAGIC,
  type AggregatedUserRecord,
  createAggregateBuilder,
  decodeRecord,
  encodeAggregate,
  HASH_KEY_MAX,
} from '@twinstream/stream-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aggregateByPeer, deaggregateByPeer } from './aws-kinesis-agg.ts';

const key = fc.oneof(
  fc.nat(30).map(String),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
  fc.constantFrom('__proto__', 'constructor', 'length'),
);
const data = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));
const tags = fc.array(fc.record({ key: fc.string(), value: fc.string() }, { requiredKeys: ['key'] }), {
  minLength: 1,
  maxLength: 3,
});
const userRecord: fc.Arbitrary<AggregatedUserRecord> = fc.record(
  { partitionKey: key, data, explicitHashKey: fc.bigInt(0n, HASH_KEY_MAX).map(String), tags },
  { requiredKeys: ['partitionKey', 'data'] },
);
const explicitRecords = fc.array(
  fc.record({ partitionKey: key, data, explicitHashKey: fc.bigInt(0n, HASH_KEY_MAX).map(String) }),
  { maxLength: 50 },
);
const userRecords = fc.array(userRecord, { maxLength: 300 });

/** Without a prototype or absent fields, and data as plain bytes, so that equality is about content. */
const content = (records: readonly AggregatedUserRecord[]) =>
  records.map(({ partitionKey, explicitHashKey, tags: remarks, data: bytes }) => ({
    partitionKey,
    explicitHashKey,
    tags: remarks?.map(({ key: name, value }) => ({ name, value })),
    data: Buffer.from(bytes).toString('hex'),
  }));

test('what is encoded comes back, entry by entry', () => {
  fc.assert(
    fc.property(userRecords, (records) => {
      const decoded = decodeRecord(encodeAggregate(records));
      if (decoded.status !== 'aggregated') throw new Error(decoded.status);
      expect(content(decoded.records)).toEqual(content(records));
    }),
  );
});

test('aws-kinesis-agg reads what we encode', () => {
  fc.assert(
    fc.property(fc.oneof(userRecords, explicitRecords), (records) => {
      // Its reader gives records without an explicit hash key the first one of the table: all have one here, or none.
      const isExplicit = records.every(({ explicitHashKey }) => explicitHashKey !== undefined);
      const put = records.map(({ partitionKey, data: bytes, explicitHashKey }) =>
        isExplicit && explicitHashKey !== undefined
          ? { partitionKey, data: bytes, explicitHashKey }
          : { partitionKey, data: bytes },
      );
      expect(content(deaggregateByPeer(encodeAggregate(put)))).toEqual(content(put));
    }),
  );
});

test('we read what aws-kinesis-agg encodes, where it keeps keys apart', () => {
  // Its tables are sorted when keys look like integers, and explicit hash keys must be on all records or none.
  const named = fc.record({
    partitionKey: fc.string().map((name) => `device-${name}`),
    data: data.filter((bytes) => bytes.length > 0),
  });
  fc.assert(
    fc.property(fc.array(named, { minLength: 1, maxLength: 200 }), (records) => {
      const decoded = decodeRecord(aggregateByPeer(records));
      if (decoded.status !== 'aggregated') throw new Error(decoded.status);
      expect(content(decoded.records)).toEqual(content(records));
    }),
  );
});

test('a builder says the size before it builds, and no size is above its limit', () => {
  fc.assert(
    fc.property(userRecords, fc.integer({ min: 20, max: 20_000 }), (records, bytesMax) => {
      const builder = createAggregateBuilder(bytesMax);
      const taken = records.filter((record) => builder.add(record, record.tags));
      const { bytes, recordCount } = builder;
      const built = builder.build();
      expect(built).toHaveLength(bytes);
      expect(bytes).toBeLessThanOrEqual(bytesMax);
      expect(recordCount).toBe(taken.length);
      const decoded = decodeRecord(built);
      expect(decoded.status === 'aggregated' && content(decoded.records)).toEqual(content(taken));
    }),
  );
});

test('any changed bit of an aggregate is noticed', () => {
  fc.assert(
    fc.property(userRecords, fc.nat(), fc.integer({ min: 0, max: 7 }), (records, place, bit) => {
      const bytes = encodeAggregate(records);
      const at = place % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      expect(decodeRecord(bytes)).toEqual(
        at < 4 ? { status: 'plain' } : { status: 'damaged', reason: 'checksum-mismatch' },
      );
    }),
  );
});

test('no bytes make the decoder throw, whatever follows the magic', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (message, isSealed) => {
      const digest = createHash('md5').update(message).digest();
      const bytes = Buffer.concat([AGGREGATE_MAGIC, message, isSealed ? digest : Buffer.alloc(0)]);
      expect(['aggregated', 'damaged']).toContain(decodeRecord(bytes).status);
    }),
    { numRuns: 2_000 },
  );
});
