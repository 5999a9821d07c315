import { encodeAggregate, type UserRecord } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import { ProducerError } from '../src/producer-error.ts';
import { measureRecord } from '../src/record-check.ts';

const MAX = 2_000;
const OUTER_KEY_BYTES = 7;
const plain = { recordBytesMax: MAX, outerKeyBytes: undefined };
const aggregated = { recordBytesMax: MAX, outerKeyBytes: OUTER_KEY_BYTES };
const recordOf = (dataBytes: number, partitionKey = 'd', explicitHashKey?: string): UserRecord => ({
  partitionKey,
  data: new Uint8Array(dataBytes),
  ...(explicitHashKey === undefined ? {} : { explicitHashKey }),
});

describe('the size of a record', () => {
  test('is the bytes of its data, its partition key and its explicit hash key', () => {
    expect(measureRecord(recordOf(10, 'Zürich'), plain)).toBe(17);
    expect(measureRecord(recordOf(10, 'ab', '12345'), plain)).toBe(17);
    expect(measureRecord(recordOf(10, 'ab', '12345'), aggregated)).toBe(17);
  });

  test('may be that of a Kinesis record, data and key, and is named where it is more', () => {
    expect(measureRecord(recordOf(MAX - 6, 'device'), plain)).toBe(MAX);
    const refused = measureRecord(recordOf(MAX - 5, 'device'), plain);
    expect(refused).toBeInstanceOf(ProducerError);
    expect(refused).toMatchObject({
      code: 'RECORD_TOO_LARGE',
      message: expect.stringContaining('a record of 2001 bytes, data and key'),
    });
  });

  test.each([
    ['without a hash key', 'd', undefined],
    ['with a long partition key', 'd'.repeat(200), undefined],
    ['with an explicit hash key', 'd', '340282366920938463463374607431768211455'],
  ])(
    'may in an aggregate be what fills a Kinesis record with its outer key, to the byte: %s',
    (_, key, hashKey) => {
      const carriedBytes = (dataBytes: number) =>
        encodeAggregate([recordOf(dataBytes, key, hashKey)]).length + OUTER_KEY_BYTES;
      for (let dataBytes = MAX - 400; dataBytes <= MAX; dataBytes += 1) {
        const isAccepted = typeof measureRecord(recordOf(dataBytes, key, hashKey), aggregated) === 'number';
        expect([dataBytes, isAccepted]).toEqual([dataBytes, carriedBytes(dataBytes) <= MAX]);
      }
    },
  );

  test('is not limited by the outer key where nothing is aggregated', () => {
    expect(measureRecord(recordOf(MAX - 1), plain)).toBe(MAX);
    expect(measureRecord(recordOf(MAX - 1), aggregated)).toBeInstanceOf(ProducerError);
  });
});
