import { createHash } from 'node:crypto';
import {
  AGGREGATE_ENVELOPE_BYTES,
  AGGREGATE_MAGIC,
  type AggregatedUserRecord,
  createAggregateBuilder,
  decodeRecord,
  encodeAggregate,
  RECORD_BYTES_MAX,
  type UserRecord,
} from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import { aggregateByPeer, deaggregateByPeer } from './aws-kinesis-agg.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const record = (partitionKey: string, data: string): UserRecord => ({
  partitionKey,
  data: Buffer.from(data),
});

/** An aggregate around any message, with a right MD5. */
function sealed(messageHex: string): Uint8Array {
  const message = Buffer.from(messageHex.replaceAll(' ', ''), 'hex');
  return Buffer.concat([AGGREGATE_MAGIC, message, createHash('md5').update(message).digest()]);
}

/** What an aggregate holds, with data as text; fails when it is none. */
function entriesOf(bytes: Uint8Array) {
  const decoded = decodeRecord(bytes);
  if (decoded.status !== 'aggregated') throw new Error(`not aggregated: ${JSON.stringify(decoded)}`);
  return decoded.records.map(({ data, ...rest }) => ({ ...rest, data: text(data) }));
}

// Made by hand from aggregation-format.md, and sealed with an MD5 by Python's hashlib.
const ONE_RECORD = 'f3899ac2 0a0161 1a06 0800 1a026869 ed4ff28777966ae6df59911cb0530cc2';
const TWO_RECORDS =
  'f3899ac2 0a023130 0a0132 1227333430323832333636393230393338343633343633333734363037343331373638323131343535' +
  '1a05 0800 1a0141 1a0f 0801 1000 1a0142 2206 0a016b 120176 0bbfd58eac9acd25ae371e557876ff7c';
const EMPTY = 'f3899ac2 d41d8cd98f00b204e9800998ecf8427e';
const bytesOf = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex');

describe('bytes of the format', () => {
  test('one record becomes the bytes of the format, and comes back from them', () => {
    expect(encodeAggregate([record('a', 'hi')])).toEqual(bytesOf(ONE_RECORD));
    expect(entriesOf(bytesOf(ONE_RECORD))).toEqual([{ partitionKey: 'a', data: 'hi' }]);
  });

  test('integer-like keys, an explicit hash key on one record only, and tags become the bytes of the format, and come back', () => {
    const records = [
      record('10', 'A'),
      {
        ...record('2', 'B'),
        explicitHashKey: '340282366920938463463374607431768211455',
        tags: [{ key: 'k', value: 'v' }],
      },
    ];
    expect(encodeAggregate(records)).toEqual(bytesOf(TWO_RECORDS));
    expect(entriesOf(bytesOf(TWO_RECORDS))).toEqual(
      records.map((each) => ({ ...each, data: text(each.data) })),
    );
  });

  test('an aggregate of nothing is the magic and the MD5 of nothing', () => {
    expect(encodeAggregate([])).toEqual(bytesOf(EMPTY));
    expect(entriesOf(bytesOf(EMPTY))).toEqual([]);
  });

  test('keys used by several records are in the table once', () => {
    const bytes = encodeAggregate([record('device', '1'), record('other', '2'), record('device', '3')]);
    expect(text(bytes).split('device')).toHaveLength(2);
    expect(entriesOf(bytes).map(({ partitionKey }) => partitionKey)).toEqual(['device', 'other', 'device']);
  });

  test('explicit hash keys used by several records are in the table once', () => {
    const keyed = (data: string, explicitHashKey: string) => ({ ...record('a', data), explicitHashKey });
    const records = [keyed('1', '70001'), keyed('2', '8'), keyed('3', '70001')];
    const builder = createAggregateBuilder();
    for (const each of records) builder.add(each);
    const { bytes } = builder;
    const built = builder.build();
    expect(built).toHaveLength(bytes);
    expect(text(built).split('70001')).toHaveLength(2);
    expect(entriesOf(built)).toEqual(records.map((each) => ({ ...each, data: text(each.data) })));
  });

  test.each([0x7f, 0x80, 0x3fff, 0x4000, 0x1f_ffff, 0x20_0000])(
    'lengths around %i, where a length takes another byte, are counted as they are written',
    (length) => {
      for (let less = 0; less < 12; less += 1) {
        const builder = createAggregateBuilder(10 * RECORD_BYTES_MAX);
        builder.add({ partitionKey: 'a', data: new Uint8Array(length - less) });
        const { bytes } = builder;
        const built = builder.build();
        expect(built).toHaveLength(bytes);
        expect(decodeRecord(built)).toMatchObject({ status: 'aggregated', records: [{ partitionKey: 'a' }] });
      }
    },
  );
});

describe('decoding', () => {
  test('data are views into the record, not copies', () => {
    const bytes = encodeAggregate([record('a', 'first'), record('b', 'second')]);
    const decoded = decodeRecord(bytes);
    if (decoded.status !== 'aggregated') throw new Error(decoded.status);
    for (const { data } of decoded.records) expect(data.buffer).toBe(bytes.buffer);
  });

  test('reads a view in the middle of other memory', () => {
    const bytes = encodeAggregate([record('a', 'hi')]);
    const memory = Buffer.alloc(bytes.length + 20, 0xf3);
    memory.set(bytes, 7);
    expect(entriesOf(new Uint8Array(memory.buffer, memory.byteOffset + 7, bytes.length))).toEqual([
      { partitionKey: 'a', data: 'hi' },
    ]);
  });

  test('an aggregate inside an aggregate is left as data', () => {
    const inner = encodeAggregate([record('inner', 'x')]);
    const decoded = decodeRecord(encodeAggregate([{ partitionKey: 'outer', data: inner }]));
    expect(decoded).toEqual({ status: 'aggregated', records: [{ partitionKey: 'outer', data: inner }] });
  });

  test.each([
    ['nothing', ''],
    ['less than the magic', 'f3899a'],
    ['JSON', Buffer.from('{"v":1}').toString('hex')],
    ['the magic in the wrong place', `00${ONE_RECORD}`],
  ])('%s is a plain record', (_, hex) => {
    expect(decodeRecord(bytesOf(hex))).toEqual({ status: 'plain' });
  });

  test('the magic without room for an MD5 is truncated', () => {
    const bytes = bytesOf(ONE_RECORD);
    for (let length = 4; length < AGGREGATE_ENVELOPE_BYTES; length += 1) {
      expect(decodeRecord(bytes.subarray(0, length))).toEqual({ status: 'damaged', reason: 'truncated' });
    }
  });

  test('an aggregate that lost its end has the wrong MD5', () => {
    const bytes = bytesOf(TWO_RECORDS);
    for (let length = AGGREGATE_ENVELOPE_BYTES; length < bytes.length; length += 1) {
      expect(decodeRecord(bytes.subarray(0, length))).toEqual({
        status: 'damaged',
        reason: 'checksum-mismatch',
      });
    }
  });

  test.each([
    ['a field that ends after the message', '0a0561'],
    ['a length that never ends', '0affffffffffffffffffff01'],
    ['a varint cut off', '0a80'],
    ['field number 0', '0200'],
    ['a wire type that does not exist', '0f'],
    ['the end of a group that never began', '34'],
    ['the end of a group that never began, before a field', '3435'],
    ['a group that never ends', '330801'],
    ['a group ended by another', '3344'],
    ['a record without data', '0a0161 1a020800'],
    ['a record without a partition key', '0a0161 1a041a026869'],
    ['a partition key index that no table holds', '0a0161 1a0608011a026869'],
    ['an explicit hash key index that no table holds', '0a0161 1a08080010001a026869'],
    ['an index beyond 2^53', '0a0161 1a0f08ffffffffffffffffff011a026869'],
    ['a tag without a key', '0a0161 1a0b08001a0268692203120176'],
    ['a fixed field cut off', '2d000000'],
  ])('%s is a malformed message', (_, message) => {
    expect(decodeRecord(sealed(message))).toEqual({ status: 'damaged', reason: 'malformed-message' });
  });

  test('a number takes ten bytes at most', () => {
    const field = (padding: string) => sealed(`0a 81 ${padding} 00 61 1a060800 1a026869`);
    expect(entriesOf(field('80'.repeat(8)))).toEqual([{ partitionKey: 'a', data: 'hi' }]);
    expect(decodeRecord(field('80'.repeat(9)))).toEqual({ status: 'damaged', reason: 'malformed-message' });
  });

  test('nothing of the MD5 is read as part of the message', () => {
    // Cut off in the last byte of a number, and in a number that the next byte would end.
    for (let byte = 0x80; byte <= 0xff; byte += 1) {
      const decoded = decodeRecord(sealed(`28${byte.toString(16)}`));
      expect(decoded).toEqual({ status: 'damaged', reason: 'malformed-message' });
    }
  });

  test('a field number of more than 29 bits is refused', () => {
    expect(decodeRecord(sealed('8880808010 01'))).toEqual({ status: 'damaged', reason: 'malformed-message' });
  });

  test('groups are followed 100 levels below the first, and no further', () => {
    const nested = (levels: number) => sealed(`${'33'.repeat(levels)}${'34'.repeat(levels)}`);
    expect(entriesOf(nested(101))).toEqual([]);
    expect(decodeRecord(nested(102))).toEqual({ status: 'damaged', reason: 'malformed-message' });
  });

  test.each(['31 0102030405060708', '45 01020304', '2801', '3a0178'])(
    'an unknown field %s may end the message',
    (field) => {
      expect(entriesOf(sealed(`0a0161 1a0608001a026869 ${field}`))).toEqual([
        { partitionKey: 'a', data: 'hi' },
      ]);
    },
  );

  test('what the message leaves out, the record leaves out', () => {
    const records: AggregatedUserRecord[] = [
      { ...record('a', '1'), tags: [{ key: 'k' }] },
      { ...record('a', '2'), explicitHashKey: '7' },
      record('a', '3'),
    ];
    const decoded = decodeRecord(encodeAggregate(records));
    if (decoded.status !== 'aggregated') throw new Error(decoded.status);
    expect(decoded.records.map((each) => Object.keys(each).sort())).toEqual([
      ['data', 'partitionKey', 'tags'],
      ['data', 'explicitHashKey', 'partitionKey'],
      ['data', 'partitionKey'],
    ]);
    expect(decoded.records[0]?.tags).toStrictEqual([{ key: 'k' }]);
  });

  test('groups nested without end are refused, not followed', () => {
    expect(decodeRecord(sealed('33'.repeat(100_000)))).toEqual({
      status: 'damaged',
      reason: 'malformed-message',
    });
  });

  test.each([
    ['of every wire type', '2801 31 0102030405060708 3a0178 45 01020304 0a0161 1a060800 1a026869'],
    ['that are groups', '2b 2801 33 3a0178 34 2c 0a0161 1a060800 1a026869'],
    ['inside a record', '0a0161 1a0b0800 1a026869 2801 3a0178'],
    ['inside a tag', '0a0161 1a0d0800 1a026869 2205 1801 0a016b'],
    ['inside a record, whose bytes look like its data,', '0a0161 1a0c0800 1a026869 3a04 1a026e6f'],
  ])('unknown fields %s are skipped', (_, message) => {
    expect(entriesOf(sealed(message))).toEqual([expect.objectContaining({ partitionKey: 'a', data: 'hi' })]);
  });

  test('an unknown field inside a tag is skipped, whatever its bytes look like', () => {
    expect(entriesOf(sealed('0a0161 1a100800 1a026869 2208 0a016b 1a03 0a0178'))).toEqual([
      { partitionKey: 'a', data: 'hi', tags: [{ key: 'k' }] },
    ]);
  });

  test('tables may come after the records that use them', () => {
    expect(entriesOf(sealed('1a0608001a026869 0a0161'))).toEqual([{ partitionKey: 'a', data: 'hi' }]);
  });

  test('of a field that may come once the last one counts', () => {
    expect(entriesOf(sealed('0a0161 0a0162 1a0c 0800 1a026e6f 0801 1a026869'))).toEqual([
      { partitionKey: 'b', data: 'hi' },
    ]);
  });

  test('a known field of another wire type is an unknown field', () => {
    expect(entriesOf(sealed('0801 0a0161 1a0608001a026869'))).toEqual([{ partitionKey: 'a', data: 'hi' }]);
  });
});

describe('limits', () => {
  test('a builder refuses what would exceed its limit, and keeps what it has', () => {
    const builder = createAggregateBuilder(60);
    expect(builder.add(record('a', 'x'.repeat(20)))).toBe(true);
    const { bytes } = builder;
    expect(builder.add(record('b', 'y'.repeat(20)))).toBe(false);
    expect(builder).toMatchObject({ bytes, recordCount: 1 });
    expect(entriesOf(builder.build())).toEqual([{ partitionKey: 'a', data: 'x'.repeat(20) }]);
    expect(builder).toMatchObject({ bytes: AGGREGATE_ENVELOPE_BYTES, recordCount: 0 });
  });

  test('an aggregate of exactly 1 MiB is built, and one byte more is refused', () => {
    const overhead =
      encodeAggregate([{ partitionKey: 'a', data: new Uint8Array(1_048_000) }]).length - 1_048_000;
    const data = new Uint8Array(RECORD_BYTES_MAX - overhead);
    expect(encodeAggregate([{ partitionKey: 'a', data }])).toHaveLength(RECORD_BYTES_MAX);
    const oneMore = new Uint8Array(data.length + 1);
    expect(() => encodeAggregate([{ partitionKey: 'a', data: oneMore }])).toThrow(RangeError);
  });

  test('a field of the record named tags is not taken for tags of the format', () => {
    const builder = createAggregateBuilder();
    const own = { ...record('a', 'hi'), tags: ['the caller’s own'] };
    builder.add(own);
    expect(entriesOf(builder.build())).toEqual([{ partitionKey: 'a', data: 'hi' }]);
  });
});

describe('aws-kinesis-agg', () => {
  test('mixes up keys that look like integers, which is why the codec is ours', () => {
    const records = [record('10', 'A'), record('2', 'B')];
    expect(entriesOf(aggregateByPeer(records)).map(({ partitionKey }) => partitionKey)).toEqual(['2', '10']);
  });

  test('reads our integer-like keys as they are', () => {
    const records = [record('10', 'A'), record('2', 'B'), record('10', 'C')];
    expect(deaggregateByPeer(encodeAggregate(records))).toEqual(records);
  });

  test('reads our explicit hash keys on some records only, and gives the others the first one: a flaw of its reader', () => {
    const records = [record('a', 'A'), { ...record('b', 'B'), explicitHashKey: '7' }];
    expect(deaggregateByPeer(encodeAggregate(records))).toEqual([
      { ...record('a', 'A'), explicitHashKey: '7' },
      records[1],
    ]);
  });

  test('writes explicit hash keys on some records only so that we read them as they are', () => {
    const explicitHashKey = '340282366920938463463374607431768211455';
    const records = [record('a', 'A'), { ...record('b', 'B'), explicitHashKey }, record('c', 'C')];
    expect(decodeRecord(aggregateByPeer(records))).toEqual({ status: 'aggregated', records });
  });

  test('reads an aggregate inside our aggregate as data', () => {
    const inner = encodeAggregate([record('inner', 'x')]);
    expect(deaggregateByPeer(encodeAggregate([{ partitionKey: 'a', data: inner }]))).toEqual([
      { partitionKey: 'a', data: inner },
    ]);
  });

  test('reads our aggregate of nothing, and our tags do not disturb it', () => {
    expect(deaggregateByPeer(encodeAggregate([]))).toEqual([]);
    const tagged = { ...record('a', 'hi'), tags: [{ key: 'k' }] };
    expect(deaggregateByPeer(encodeAggregate([tagged]))).toEqual([record('a', 'hi')]);
  });

  test('gives the same size as our builder says, up to 1 MiB', () => {
    const records = Array.from({ length: 5_000 }, (_, index) =>
      record(`device-${index % 900}`, 'x'.repeat(190)),
    );
    expect(encodeAggregate(records)).toHaveLength(aggregateByPeer(records).length);
  });
});
