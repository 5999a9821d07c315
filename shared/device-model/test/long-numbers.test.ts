import { expect, test } from 'vitest';
import { decodeEvent } from '../src/decode-event.ts';

/** Far above what a walk over the text takes, and far below what a pattern took that was tried at each zero (12.7 s). */
const MS_MAX = 2_000;

test('a number with 80,000 zeros in the middle takes no more time than its length', () => {
  const number = `0.1${'0'.repeat(80_000)}1`;
  const text = `{"v":1,"deviceId":"a","type":"t","time":"2026-01-01T00:00:00Z","data":{"x":${number}}}`;
  const start = performance.now();
  decodeEvent(Buffer.from(text));
  expect(performance.now() - start).toBeLessThan(MS_MAX);
});
