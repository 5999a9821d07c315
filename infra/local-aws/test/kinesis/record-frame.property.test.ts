import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  recordArrivalMs,
  recordCounter,
  recordData,
  recordPartitionKey,
  recordSizeBytes,
  scanFrames,
} from '../../src/kinesis/record-frame.ts';
import { emptyContent, grow, type NewRecord, writeFrame } from '../../src/kinesis/segment.ts';

const ROOM = 64 * 1024;

const record = fc
  .record({ key: fc.string({ unit: 'binary', maxLength: 40 }), data: fc.uint8Array({ maxLength: 200 }) })
  .map(({ key, data }): NewRecord => ({ key, keyBytes: Buffer.byteLength(key), data }));
const frames = fc.array(fc.array(record, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 });

/** Frames one behind the other, with the end of each. */
function written(batches: readonly (readonly NewRecord[])[]) {
  const content = emptyContent();
  grow(content, ROOM, 100);
  const ends: number[] = [];
  let counter = 1;
  batches.forEach((batch, frame) => {
    const counters = batch.map(() => counter++);
    content.used = writeFrame(content, batch, counters, 1_000 + frame);
    content.count += batch.length;
    ends.push(content.used);
  });
  return { bytes: content.bytes.subarray(0, content.used), ends };
}

describe('frames', () => {
  it('give back every record, its counter and its arrival', () => {
    fc.assert(
      fc.property(frames, (batches) => {
        const { bytes } = written(batches);
        const { offsets, end, tail } = scanFrames(bytes);
        expect({ end, tail }).toEqual({ end: bytes.length, tail: 'whole' });
        const expected = batches.flatMap((batch, frame) => batch.map((entry) => ({ ...entry, frame })));
        expect(
          offsets.map((at) => ({
            counter: recordCounter(bytes, at),
            arrivalMs: recordArrivalMs(bytes, at),
            key: recordPartitionKey(bytes, at),
            data: [...recordData(bytes, at)],
            sizeBytes: recordSizeBytes(bytes, at),
          })),
        ).toEqual(
          expected.map(({ key, keyBytes, data, frame }, index) => ({
            counter: index + 1,
            arrivalMs: 1_000 + frame,
            key,
            data: [...data],
            sizeBytes: keyBytes + data.length,
          })),
        );
      }),
    );
  });

  it('that were cut off anywhere keep all whole ones before', () => {
    fc.assert(
      fc.property(frames, fc.double({ min: 0, max: 1, noNaN: true }), (batches, share) => {
        const { bytes, ends } = written(batches);
        const cut = Math.floor(bytes.length * share);
        const scan = scanFrames(bytes.subarray(0, cut));
        const wholeEnd = ends.filter((end) => end <= cut).at(-1) ?? 0;
        expect(scan.end).toBe(wholeEnd);
        expect(scan.tail).toBe(wholeEnd === cut ? 'whole' : 'torn');
      }),
    );
  });

  it('followed by zeros, as after a loss of power, keep all whole ones before', () => {
    fc.assert(
      fc.property(frames, fc.integer({ min: 1, max: 100 }), (batches, zeros) => {
        const { bytes } = written(batches);
        const scan = scanFrames(Buffer.concat([bytes, Buffer.alloc(zeros)]));
        expect(scan).toMatchObject({ end: bytes.length, tail: 'torn' });
      }),
    );
  });

  it('whose payload was changed are never read as if they were whole', () => {
    fc.assert(
      fc.property(frames, fc.nat(), fc.integer({ min: 1, max: 255 }), (batches, place, change) => {
        const { bytes, ends } = written(batches);
        const damaged = Buffer.from(bytes);
        const at = 16 + (place % ((ends[0] ?? 0) - 16));
        damaged.writeUInt8(damaged.readUInt8(at) ^ change, at);
        const scan = scanFrames(damaged);
        expect(scan).toMatchObject({ end: 0, offsets: [], tail: ends.length === 1 ? 'torn' : 'corrupt' });
      }),
    );
  });
});
