import { sequenceNumber, shardId } from '@twinstream/stream-model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeResumeToken, encodeResumeToken } from '../../src/fleet/resume-token.ts';

const shard = fc
  .integer({ min: 0, max: 5 })
  .map((index) => shardId(`shardId-${String(index).padStart(12, '0')}`));
const number = fc.bigInt({ min: 1n, max: 10n ** 56n }).map((big) => sequenceNumber(String(big)));
const vector = fc.array(fc.tuple(shard, number), { maxLength: 6 }).map((entries) => new Map(entries));

describe('a resume token', () => {
  test('says the same again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_999_999_999_999 }), vector, (timeMs, seen) => {
        expect(decodeResumeToken(encodeResumeToken({ timeMs, seen }))).toEqual({ timeMs, seen });
      }),
    );
  });

  test('of a stream with too many shards asks for the whole fleet', () => {
    const seen = new Map(
      Array.from({ length: 65 }, (_, index) => [shardId(`shardId-${index}`), sequenceNumber('9')]),
    );
    const point = decodeResumeToken(encodeResumeToken({ timeMs: 5, seen }));
    expect(point).toEqual({ timeMs: 5, seen: new Map() });
  });

  test('is never read out of anything else', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((json) => Buffer.from(json).toString('base64url')),
        ),
        (text) => {
          const point = decodeResumeToken(text);
          if (point !== undefined) expect(Number.isInteger(point.timeMs)).toBe(true);
        },
      ),
    );
  });
});
