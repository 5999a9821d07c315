import { gzipSync } from 'node:zlib';
import { Encoder } from 'cbor-x';
import { describe, expect, test } from 'vitest';
import { decodeCbor } from '../src/decode-cbor.ts';
import { mapperOf, record } from './mapping-builder.ts';

/** Of processor time: far above what bounded work takes, and far below what each of these took without its bound. */
const MS_MAX = 2_000;

const HEAD = 'language: 1\nmapping: hostile\nversion: 1\n';

function within<Result>(work: () => Result): Result {
  const start = process.cpuUsage();
  try {
    return work();
  } finally {
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1_000).toBeLessThan(MS_MAX);
  }
}

describe('CBOR', () => {
  test('of 226 bytes whose references stand for 2^28 values is refused', () => {
    let value: unknown = [1];
    for (let level = 0; level < 28; level += 1) value = [value, value];
    const bytes = new Encoder({ structuredClone: true, useRecords: false }).encode(value);
    expect(bytes.length).toBeLessThan(300);
    within(() => expect(() => decodeCbor(bytes)).toThrow('more values than bytes'));
  });

  test('of a whole number of 200,000 bytes is refused, and of 16 bytes read to the last digit', () => {
    const bignum = (tag: number, length: number) =>
      Buffer.concat([
        Buffer.from([tag, 0x5a, 0, length >> 16, (length >> 8) & 255, length & 255]),
        Buffer.alloc(length, 255),
      ]);
    within(() => expect(() => decodeCbor(bignum(0xc2, 200_000))).toThrow());
    expect(JSON.stringify(decodeCbor(bignum(0xc2, 16)))).toBe(String(2n ** 128n - 1n));
    expect(JSON.stringify(decodeCbor(bignum(0xc3, 16)))).toBe(String(-(2n ** 128n)));
  });
});

describe('JSON', () => {
  test('that unpacks to a million numbers in words of their own is undecodable', () => {
    const mapper = mapperOf(
      `${HEAD}gzip: true\nrules: [{ name: all, event: { deviceId: id, data: { path: $item } } }]`,
    );
    const data = gzipSync(`{"id":"a","x":[${'1e1,'.repeat(999_999)}1e1]}`);
    expect(data.length).toBeLessThan(10_000);
    const mapped = within(() => mapper.map(record(data)));
    expect(JSON.stringify(mapped)).toContain('undecodable-payload');
  });

  test('in a text that each of a thousand items parses again meets the limit of work', () => {
    const data = '{ object: { x: { path: $payload.b, steps: [json, { pick: [] }] } } }';
    const mapper = mapperOf(
      `${HEAD}rules: [{ name: all, each: { path: l }, event: { deviceId: id, data: ${data} } }]`,
    );
    const items = Array.from({ length: 1_000 }, (_, index) => ({ id: `d${index}` }));
    const text = JSON.stringify({ b: `[${'1e1,'.repeat(12_000)}1]`, l: items });
    const mapped = within(() => mapper.map(record(Buffer.from(text))));
    expect(JSON.stringify(mapped)).toContain('mapping-limit');
  });
});
