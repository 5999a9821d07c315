import { expect, test } from 'vitest';
import { readRequest, text } from '../../src/kinesis/request-shape.ts';

const wire = { blob: () => new Uint8Array(), timestampMs: () => 0 };
const read = (value: string) => readRequest(text({ min: 1, max: 256 }), value, wire);

test('256 characters that are 512 UTF-16 units are as many as AWS counts', () => {
  const key = '🚌'.repeat(256);
  expect(read(key)).toBe(key);
  expect(() => read(`${key}a`)).toThrow('Member must have length less than or equal to 256');
  expect(() => read('a'.repeat(257))).toThrow('Member must have length less than or equal to 256');
});
