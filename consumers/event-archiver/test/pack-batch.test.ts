import { EVENT_LIMITS } from '@twinstream/device-model';
import { FIREHOSE_BILLING_BYTES, PACK_LIMITS, type PackLimits, packBatch } from '@twinstream/event-archiver';
import { ARCHIVE_HEAD_BYTES_MAX, readBatch } from '@twinstream/stream-model';
import { lambdaBatch } from '@twinstream/stream-model/testing';
import { describe, expect, test } from 'vitest';

function packsOf(data: readonly (string | Buffer)[], limits?: PackLimits) {
  const records = data.map((each, index) => ({
    sequenceNumber: `${index + 1}`,
    partitionKey: 'bus-1',
    data: each,
    arrivalTime: 1_790_000_000_000,
  }));
  return [...packBatch(readBatch(lambdaBatch({ records })), limits)];
}

const event = `{"v":1,"deviceId":"bus-1","type":"reported","time":"2017-03-21T05:00:31.000Z","data":{"n":1}}\n`;

describe('packing a batch', () => {
  test('fills packs with whole lines, and names the first record of each', () => {
    const packs = packsOf(Array(1_000).fill(event), { lineBytesMax: 4_096, packBytesMax: 20_000 });
    expect(packs.map(({ from }) => Number(from))).toEqual(
      packs.map((_, index) => 1 + packs.slice(0, index).reduce((sum, { lines }) => sum + lines.event, 0)),
    );
    for (const { data } of packs.slice(0, -1)) {
      expect(data.length).toBeLessThanOrEqual(20_000);
      expect(data.length).toBeGreaterThan(20_000 - 400);
    }
    const lines = packs.flatMap(({ data }) => data.toString().trimEnd().split('\n'));
    expect(lines.map((line) => JSON.parse(line).sequenceNumber)).toEqual(
      Array.from({ length: 1_000 }, (_, index) => `${index + 1}`),
    );
  });

  test('pays for less than 1 % more than the bytes of a large batch', () => {
    const packs = packsOf(Array(10_000).fill(event));
    const bytes = packs.reduce((sum, { data }) => sum + data.length, 0);
    const billed = packs.reduce((sum, { data }) => sum + Math.ceil(data.length / FIREHOSE_BILLING_BYTES), 0);
    expect((billed * FIREHOSE_BILLING_BYTES) / bytes).toBeLessThan(1.01);
  });

  test('gives a line that exceeds a pack a pack of its own', () => {
    const large = Buffer.alloc(300_000, 0xff);
    const packs = packsOf([event, large, event]);
    expect(packs.map(({ from, lines }) => ({ from, ...lines }))).toEqual([
      { from: '1', event: 1, base64: 0, tooLarge: 0 },
      { from: '2', event: 0, base64: 1, tooLarge: 0 },
      { from: '3', event: 1, base64: 0, tooLarge: 0 },
    ]);
  });

  test('gives no pack for a batch without a line', () => {
    const emptyAggregate = Buffer.from('f3899ac2d41d8cd98f00b204e9800998ecf8427e', 'hex');
    expect(packsOf([emptyAggregate])).toEqual([]);
  });

  test('whatever the projector may accept fits into a line, so only what is in quarantine is ever too large', () => {
    const bytesMax = Math.ceil(EVENT_LIMITS.bytesMax / 3) * 4;
    expect(bytesMax + ARCHIVE_HEAD_BYTES_MAX).toBeLessThanOrEqual(PACK_LIMITS.lineBytesMax);
    const [pack] = packsOf([Buffer.alloc(EVENT_LIMITS.bytesMax, 0xff)]);
    expect(pack?.lines).toEqual({ event: 0, base64: 1, tooLarge: 0 });
  });
});
