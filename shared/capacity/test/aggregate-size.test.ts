import { encodeAggregate } from '@twinstream/stream-model';
import { expect, test } from 'vitest';
import { ASSUMPTIONS } from '../src/index.ts';

const EVENT_BYTES = 170;
const LANE_KEY_BYTES = 'lane-00'.length;

test.each([1, 2, 10, 100])('aggregation adds what the plan assumes to %i events, within 3 %%', (count) => {
  const data = Buffer.alloc(EVENT_BYTES, 'x');
  const records = Array.from({ length: count }, (_, index) => ({
    partitionKey: String(index).padStart(ASSUMPTIONS.keyBytes, '0'),
    data,
  }));
  const encoded = encodeAggregate(records).length + LANE_KEY_BYTES;
  const { keyBytes, aggregateEventOverheadBytes, aggregateRecordOverheadBytes } = ASSUMPTIONS;
  const planned =
    count * (EVENT_BYTES + keyBytes + aggregateEventOverheadBytes) + aggregateRecordOverheadBytes;
  expect(Math.abs(planned / encoded - 1)).toBeLessThan(0.03);
});
