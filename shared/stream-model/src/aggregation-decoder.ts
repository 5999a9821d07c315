import { hash } from 'node:crypto';
import {
  AGGREGATE_ENVELOPE_BYTES,
  AGGREGATE_MAGIC,
  type AggregatedUserRecord,
  DIGEST_BYTES,
  FIELD,
  MAGIC_BYTES,
  type UserRecordTag,
  WIRE,
} from './aggregation-format.ts';

/**
 * What is wrong with a record that begins like an aggregate. `truncated`: too short to hold an MD5. `checksum-mismatch`:
 * the MD5 is not that of the message. `malformed-message`: the MD5 is right, but the message is not an AggregatedRecord:
 * cut off, without a required field, or with an index that no table holds.
 */
export type DamageReason = 'truncated' | 'checksum-mismatch' | 'malformed-message';

/**
 * What the data of a Kinesis record are. `plain`: one event, whatever its bytes. `aggregated`: user records, in order, the
 * index of each being its sub-sequence number. `damaged`: bytes that begin with the magic and cannot be read further; as
 * the KPL says, they are to be handled as one plain record, and the reason is for those who want to know.
 */
export type DecodedRecord =
  | { readonly status: 'plain' }
  | { readonly status: 'aggregated'; readonly records: readonly AggregatedUserRecord[] }
  | { readonly status: 'damaged'; readonly reason: DamageReason };

const PLAIN: DecodedRecord = { status: 'plain' };
/** Groups nested deeper than this are refused: protobuf's own default limit. */
const GROUP_DEPTH_MAX = 100;
const VARINT_BYTES_MAX = 10;
/** Field number 2^29 - 1 with wire type 7. */
const TAG_MAX = 2 ** 32 - 1;
const ABSENT = -1;

/** Thrown inside this file only, where the message breaks off or breaks a rule. */
class MalformedMessage extends Error {}

/**
 * Reads the data of a Kinesis record. The `data` of user records are views into `bytes`, not copies. An aggregate inside an
 * aggregate is left as data. Unknown protobuf fields are skipped, and the order of fields is free.
 *
 * Never throws for what the bytes hold.
 */
export function decodeRecord(bytes: Uint8Array): DecodedRecord {
  if (!hasMagic(bytes)) return PLAIN;
  if (bytes.length < AGGREGATE_ENVELOPE_BYTES) return { status: 'damaged', reason: 'truncated' };
  const messageEnd = bytes.length - DIGEST_BYTES;
  if (!hasDigest(bytes, messageEnd)) return { status: 'damaged', reason: 'checksum-mismatch' };
  try {
    return { status: 'aggregated', records: createReader(bytes, messageEnd).aggregate() };
  } catch (error) {
    if (error instanceof MalformedMessage) return { status: 'damaged', reason: 'malformed-message' };
    throw error;
  }
}

function hasMagic(bytes: Uint8Array): boolean {
  for (let at = 0; at < MAGIC_BYTES; at += 1) if (bytes[at] !== AGGREGATE_MAGIC[at]) return false;
  return true;
}

function hasDigest(bytes: Uint8Array, messageEnd: number): boolean {
  const digest = hash('md5', bytes.subarray(MAGIC_BYTES, messageEnd), 'buffer');
  for (let at = 0; at < DIGEST_BYTES; at += 1) if (bytes[messageEnd + at] !== digest[at]) return false;
  return true;
}

/** An entry whose keys are still indexes, because tables may follow the records that refer to them. */
interface RawEntry {
  readonly partitionKeyIndex: number;
  readonly explicitHashKeyIndex: number;
  readonly data: Uint8Array;
  readonly tags: UserRecordTag[] | undefined;
}

function createReader(bytes: Uint8Array, messageEnd: number) {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = MAGIC_BYTES;

  /** An unsigned varint; above 2^53 it loses digits, which no length, index or field number here may reach. */
  function varint(end: number): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < VARINT_BYTES_MAX; count += 1) {
      if (offset >= end) throw new MalformedMessage();
      const byte = bytes[offset++] ?? 0;
      if (byte < 0x80) return value + byte * scale;
      value += (byte & 0x7f) * scale;
      scale *= 128;
    }
    throw new MalformedMessage();
  }

  /** Where the length-delimited field that begins here ends. */
  function delimitedEnd(end: number): number {
    const fieldEnd = varint(end) + offset;
    if (fieldEnd > end) throw new MalformedMessage();
    return fieldEnd;
  }

  function string(end: number): string {
    const fieldEnd = delimitedEnd(end);
    const value = text.toString('utf8', offset, fieldEnd);
    offset = fieldEnd;
    return value;
  }

  function advance(length: number, end: number): void {
    offset += length;
    if (offset > end) throw new MalformedMessage();
  }

  function skip(tag: number, end: number, depth = 0): void {
    const wire = tag & 7;
    if (tag > TAG_MAX || tag >>> 3 === 0 || depth > GROUP_DEPTH_MAX) throw new MalformedMessage();
    if (wire === WIRE.varint) varint(end);
    else if (wire === WIRE.fixed64) advance(8, end);
    else if (wire === WIRE.fixed32) advance(4, end);
    else if (wire === WIRE.bytes) offset = delimitedEnd(end);
    else if (wire === WIRE.groupStart) skipGroup(tag, end, depth);
    else throw new MalformedMessage();
  }

  function skipGroup(startTag: number, end: number, depth: number): void {
    const endTag = startTag - WIRE.groupStart + WIRE.groupEnd;
    for (let tag = varint(end); tag !== endTag; tag = varint(end)) skip(tag, end, depth + 1);
  }

  function tagEntry(end: number): UserRecordTag {
    const entryEnd = delimitedEnd(end);
    let key: string | undefined;
    let value: string | undefined;
    while (offset < entryEnd) {
      const tag = varint(entryEnd);
      if (tag === ((FIELD.tag.key << 3) | WIRE.bytes)) key = string(entryEnd);
      else if (tag === ((FIELD.tag.value << 3) | WIRE.bytes)) value = string(entryEnd);
      else skip(tag, entryEnd);
    }
    if (key === undefined) throw new MalformedMessage();
    return value === undefined ? { key } : { key, value };
  }

  function entry(end: number): RawEntry {
    const entryEnd = delimitedEnd(end);
    let partitionKeyIndex = ABSENT;
    let explicitHashKeyIndex = ABSENT;
    let data: Uint8Array | undefined;
    let tags: UserRecordTag[] | undefined;
    while (offset < entryEnd) {
      const tag = varint(entryEnd);
      if (tag === ((FIELD.record.data << 3) | WIRE.bytes)) {
        const dataEnd = delimitedEnd(entryEnd);
        data = bytes.subarray(offset, dataEnd);
        offset = dataEnd;
      } else if (tag === ((FIELD.record.partitionKeyIndex << 3) | WIRE.varint)) {
        partitionKeyIndex = varint(entryEnd);
      } else if (tag === ((FIELD.record.explicitHashKeyIndex << 3) | WIRE.varint)) {
        explicitHashKeyIndex = varint(entryEnd);
      } else if (tag === ((FIELD.record.tags << 3) | WIRE.bytes)) {
        tags ??= [];
        tags.push(tagEntry(entryEnd));
      } else skip(tag, entryEnd);
    }
    if (data === undefined) throw new MalformedMessage();
    return { partitionKeyIndex, explicitHashKeyIndex, data, tags };
  }

  function aggregate(): readonly AggregatedUserRecord[] {
    const partitionKeys: string[] = [];
    const hashKeys: string[] = [];
    const entries: RawEntry[] = [];
    while (offset < messageEnd) {
      const tag = varint(messageEnd);
      if (tag === ((FIELD.aggregate.records << 3) | WIRE.bytes)) entries.push(entry(messageEnd));
      else if (tag === ((FIELD.aggregate.partitionKeyTable << 3) | WIRE.bytes)) {
        partitionKeys.push(string(messageEnd));
      } else if (tag === ((FIELD.aggregate.explicitHashKeyTable << 3) | WIRE.bytes)) {
        hashKeys.push(string(messageEnd));
      } else skip(tag, messageEnd);
    }
    return entries.map((raw) => resolve(raw, partitionKeys, hashKeys));
  }

  return { aggregate };
}

function resolve(raw: RawEntry, partitionKeys: string[], hashKeys: string[]): AggregatedUserRecord {
  const partitionKey = partitionKeys[raw.partitionKeyIndex];
  if (partitionKey === undefined) throw new MalformedMessage();
  if (raw.explicitHashKeyIndex === ABSENT && raw.tags === undefined) return { partitionKey, data: raw.data };
  const explicitHashKey = hashKeys[raw.explicitHashKeyIndex];
  if (raw.explicitHashKeyIndex !== ABSENT && explicitHashKey === undefined) throw new MalformedMessage();
  return {
    partitionKey,
    data: raw.data,
    ...(explicitHashKey === undefined ? {} : { explicitHashKey }),
    ...(raw.tags === undefined ? {} : { tags: raw.tags }),
  };
}
