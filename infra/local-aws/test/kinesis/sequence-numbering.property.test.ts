import { compareSequenceNumbers, sequenceNumber } from '@twinstream/stream-model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ENDING_COUNTER,
  parseSequenceNumber,
  sequenceNumberText,
  shardNumbering,
} from '../../src/kinesis/sequence-numbering.ts';

const startMs = fc.integer({ min: 1_500_000_000_000, max: 4_000_000_000_000 });
const counter = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const index = fc.integer({ min: 0, max: 1_000_000 });

describe('sequence numbers', () => {
  it('are 56 digits that say where they came from', () => {
    fc.assert(
      fc.property(startMs, index, counter, startMs, (shardStartMs, shardIndex, number, arrivalMs) => {
        const text = sequenceNumberText(shardNumbering(shardStartMs, shardIndex), number, arrivalMs);
        expect(sequenceNumber(text)).toMatch(/^[1-9]\d{55}$/);
        expect(parseSequenceNumber(text)).toEqual({ shardStartMs, shardIndex, counter: number });
      }),
    );
  });

  it('rise with the counter, whatever the arrival, up to the end of the shard', () => {
    fc.assert(
      fc.property(
        startMs,
        index,
        counter,
        counter,
        startMs,
        startMs,
        (start, shard, a, b, arrivalA, arrivalB) => {
          const numbering = shardNumbering(start, shard);
          const text = (value: number, arrivalMs: number) =>
            sequenceNumber(sequenceNumberText(numbering, value, arrivalMs));
          if (a !== b) expect(compareSequenceNumbers(text(a, arrivalA), text(b, arrivalB)) < 0).toBe(a < b);
          expect(compareSequenceNumbers(text(a, arrivalA), text(ENDING_COUNTER, arrivalB))).toBeLessThan(0);
        },
      ),
    );
  });

  it('of others are not taken for ours', () => {
    for (const text of [
      '0',
      '49',
      '4'.repeat(56),
      `4${'9'.repeat(56)}`,
      '49545115243490985018280067714973144582180062593244200961',
    ]) {
      const parts = parseSequenceNumber(text);
      if (text.length !== 56 || !text.startsWith('49')) expect(parts).toBeUndefined();
      else expect(parts?.shardIndex).toBeGreaterThan(1_000_000);
    }
  });
});
