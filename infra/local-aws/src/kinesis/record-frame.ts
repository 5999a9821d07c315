import { crc32 } from 'node:zlib';

/**
 * The bytes of a shard, in memory and on disk alike: frames, each holding the records that one request put into the
 * shard. A frame is a header of 16 bytes (magic, payload bytes, CRC-32 of the payload, record count; big-endian
 * 32-bit each) and its records. A record is 18 bytes (counter and arrival in ms, 48 bits each; key bytes, 16 bits;
 * data bytes, 32 bits), the partition key in UTF-8 and the data.
 */
const MAGIC = 0x54534631; // "TSF1"
export const FRAME_HEADER_BYTES = 16;
export const RECORD_HEADER_BYTES = 18;

const ARRIVAL_AT = 6;
const KEY_BYTES_AT = 12;
const DATA_BYTES_AT = 14;

export function recordCounter(bytes: Buffer, at: number): number {
  return bytes.readUIntBE(at, 6);
}

export function recordArrivalMs(bytes: Buffer, at: number): number {
  return bytes.readUIntBE(at + ARRIVAL_AT, 6);
}

function recordKeyBytes(bytes: Buffer, at: number): number {
  return bytes.readUInt16BE(at + KEY_BYTES_AT);
}

function recordDataBytes(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at + DATA_BYTES_AT);
}

/** Data and partition key together, as the quotas count a record. */
export function recordSizeBytes(bytes: Buffer, at: number): number {
  return recordKeyBytes(bytes, at) + recordDataBytes(bytes, at);
}

export function recordPartitionKey(bytes: Buffer, at: number): string {
  const start = at + RECORD_HEADER_BYTES;
  return bytes.toString('utf8', start, start + recordKeyBytes(bytes, at));
}

export function recordDataBase64(bytes: Buffer, at: number): string {
  const start = at + RECORD_HEADER_BYTES + recordKeyBytes(bytes, at);
  return bytes.toString('base64', start, start + recordDataBytes(bytes, at));
}

/** A copy, so that holding it does not hold the segment. */
export function recordData(bytes: Buffer, at: number): Buffer {
  const start = at + RECORD_HEADER_BYTES + recordKeyBytes(bytes, at);
  return Buffer.from(bytes.subarray(start, start + recordDataBytes(bytes, at)));
}

/** Writes a record at `at` and answers where it ends. `keyBytes` is the length of the key in UTF-8. */
export function writeRecord(
  bytes: Buffer,
  at: number,
  record: {
    readonly counter: number;
    readonly arrivalMs: number;
    readonly key: string;
    readonly keyBytes: number;
    readonly data: Uint8Array;
  },
): number {
  bytes.writeUIntBE(record.counter, at, 6);
  bytes.writeUIntBE(record.arrivalMs, at + ARRIVAL_AT, 6);
  bytes.writeUInt16BE(record.keyBytes, at + KEY_BYTES_AT);
  bytes.writeUInt32BE(record.data.length, at + DATA_BYTES_AT);
  const keyAt = at + RECORD_HEADER_BYTES;
  bytes.write(record.key, keyAt, record.keyBytes, 'utf8');
  bytes.set(record.data, keyAt + record.keyBytes);
  return keyAt + record.keyBytes + record.data.length;
}

/** Completes the frame whose records lie between its header, at `start`, and `end`. */
export function sealFrame(bytes: Buffer, start: number, end: number, recordCount: number): void {
  bytes.writeUInt32BE(MAGIC, start);
  bytes.writeUInt32BE(end - start - FRAME_HEADER_BYTES, start + 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(start + FRAME_HEADER_BYTES, end)), start + 8);
  bytes.writeUInt32BE(recordCount, start + 12);
}

/** What a scan of a segment found. */
export interface FrameScan {
  /** Where each record begins, in order. */
  readonly offsets: readonly number[];
  /** End of the last whole frame. */
  readonly end: number;
  /**
   * `whole`: frames fill the bytes. `torn`: after `end` lies the beginning of a frame whose writing was cut off.
   * `corrupt`: after `end` lie bytes that no interrupted append leaves behind.
   */
  readonly tail: 'whole' | 'torn' | 'corrupt';
}

/** Walks the frames of a segment and checks each. */
export function scanFrames(bytes: Buffer): FrameScan {
  const offsets: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    const frame = readFrame(bytes, at, offsets);
    if (typeof frame === 'string') return { offsets, end: at, tail: frame };
    at = frame;
  }
  return { offsets, end: at, tail: 'whole' };
}

/** End of the frame at `start`, whose records' offsets are added; or what is wrong with it. */
function readFrame(bytes: Buffer, start: number, offsets: number[]): number | 'torn' | 'corrupt' {
  const magic = Buffer.alloc(4);
  magic.writeUInt32BE(MAGIC);
  const magicSeen = bytes.subarray(start, Math.min(start + 4, bytes.length));
  if (!magicSeen.equals(magic.subarray(0, magicSeen.length))) {
    // A machine that loses power may leave zeros where an append was under way.
    return bytes.subarray(start).every((byte) => byte === 0) ? 'torn' : 'corrupt';
  }
  if (bytes.length - start < FRAME_HEADER_BYTES) return 'torn';
  const payloadBytes = bytes.readUInt32BE(start + 4);
  const end = start + FRAME_HEADER_BYTES + payloadBytes;
  if (end > bytes.length) return 'torn';
  if (crc32(bytes.subarray(start + FRAME_HEADER_BYTES, end)) !== bytes.readUInt32BE(start + 8)) {
    return end === bytes.length ? 'torn' : 'corrupt';
  }
  let at = start + FRAME_HEADER_BYTES;
  const found: number[] = [];
  while (at < end) {
    found.push(at);
    at += RECORD_HEADER_BYTES + recordSizeBytes(bytes, at);
  }
  if (at !== end || found.length !== bytes.readUInt32BE(start + 12)) return 'corrupt';
  for (const offset of found) offsets.push(offset);
  return end;
}
