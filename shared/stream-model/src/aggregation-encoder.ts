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
import { RECORD_BYTES_MAX } from './quotas.ts';
import type { UserRecord } from './user-record.ts';

/** Collects user records for one aggregated record. */
export interface AggregateBuilder {
  /** Adds the record as the next entry. False, and nothing changes, when the aggregate would exceed `bytesMax`. */
  add(record: UserRecord, tags?: readonly UserRecordTag[]): boolean;
  /** Size that `build` would have, in bytes. */
  readonly bytes: number;
  readonly recordCount: number;
  /** The aggregated record. It copies all data, and the builder is empty afterwards. */
  build(): Uint8Array;
}

/** Field numbers here are below 16, so a tag is one byte. */
const tag = (field: number, wire: number): number => (field << 3) | wire;
const TABLE_OF_PARTITION_KEYS = tag(FIELD.aggregate.partitionKeyTable, WIRE.bytes);
const TABLE_OF_HASH_KEYS = tag(FIELD.aggregate.explicitHashKeyTable, WIRE.bytes);
const RECORD = tag(FIELD.aggregate.records, WIRE.bytes);
const PARTITION_KEY_INDEX = tag(FIELD.record.partitionKeyIndex, WIRE.varint);
const HASH_KEY_INDEX = tag(FIELD.record.explicitHashKeyIndex, WIRE.varint);
const DATA = tag(FIELD.record.data, WIRE.bytes);
const TAGS = tag(FIELD.record.tags, WIRE.bytes);
const TAG_KEY = tag(FIELD.tag.key, WIRE.bytes);
const TAG_VALUE = tag(FIELD.tag.value, WIRE.bytes);
const NO_HASH_KEY = -1;

/** Sizes here stay below 2^28: a record has at most 10 MiB. */
function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x20_0000 ? 3 : 4;
}

const delimitedBytes = (length: number): number => 1 + varintBytes(length) + length;

function tagBytes(entry: UserRecordTag): number {
  const key = delimitedBytes(Buffer.byteLength(entry.key));
  return entry.value === undefined ? key : key + delimitedBytes(Buffer.byteLength(entry.value));
}

function tagsBytes(tags: readonly UserRecordTag[]): number {
  let bytes = 0;
  for (const entry of tags) bytes += delimitedBytes(tagBytes(entry));
  return bytes;
}

/** Strings in order of first use, each once. A Map, because object keys that look like integers would be sorted. */
interface KeyTable {
  readonly indexes: Map<string, number>;
  readonly keys: { readonly key: string; readonly length: number }[];
}

const emptyTable = (): KeyTable => ({ indexes: new Map(), keys: [] });

/** One entry, ready to be written. */
interface Entry {
  readonly data: Uint8Array;
  readonly tags: readonly UserRecordTag[] | undefined;
  readonly partitionKeyIndex: number;
  readonly hashKeyIndex: number;
  /** Bytes of the message of the entry. */
  readonly length: number;
}

/** Writes protobuf forward into a buffer of known size. */
function createWriter(bytes: number) {
  const buffer = Buffer.allocUnsafe(bytes);
  let offset = 0;
  const varint = (value: number): void => {
    let rest = value;
    while (rest >= 0x80) {
      buffer[offset++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[offset++] = rest;
  };
  return {
    buffer,
    field(tagByte: number, value: number): void {
      buffer[offset++] = tagByte;
      varint(value);
    },
    bytes(data: Uint8Array): void {
      buffer.set(data, offset);
      offset += data.length;
    },
    text(text: string, length: number): void {
      offset += buffer.write(text, offset, length, length === text.length ? 'latin1' : 'utf8');
    },
  };
}

/**
 * An empty builder of aggregated records of at most `bytesMax` bytes.
 *
 * @param bytesMax default 1 MiB, the largest record of a stream that has not opted in to more. The outer partition key
 *   counts against that limit too, and is the caller's to subtract.
 */
export function createAggregateBuilder(bytesMax: number = RECORD_BYTES_MAX): AggregateBuilder {
  let partitionKeys = emptyTable();
  let hashKeys = emptyTable();
  let entries: Entry[] = [];
  let bytes = AGGREGATE_ENVELOPE_BYTES;

  function add(
    { partitionKey, explicitHashKey, data }: UserRecord,
    tags?: readonly UserRecordTag[],
  ): boolean {
    const knownIndex = partitionKeys.indexes.get(partitionKey);
    const partitionKeyIndex = knownIndex ?? partitionKeys.keys.length;
    const keyLength = knownIndex === undefined ? Buffer.byteLength(partitionKey) : 0;
    let length = 1 + varintBytes(partitionKeyIndex) + delimitedBytes(data.length);
    let added = knownIndex === undefined ? delimitedBytes(keyLength) : 0;
    let hashKeyIndex = NO_HASH_KEY;
    if (explicitHashKey !== undefined) {
      const known = hashKeys.indexes.get(explicitHashKey);
      hashKeyIndex = known ?? hashKeys.keys.length;
      length += 1 + varintBytes(hashKeyIndex);
      if (known === undefined) added += delimitedBytes(Buffer.byteLength(explicitHashKey));
    }
    if (tags !== undefined) length += tagsBytes(tags);
    added += delimitedBytes(length);
    if (bytes + added > bytesMax) return false;

    if (knownIndex === undefined) append(partitionKeys, partitionKey, keyLength);
    if (explicitHashKey !== undefined && hashKeyIndex === hashKeys.keys.length) {
      append(hashKeys, explicitHashKey, Buffer.byteLength(explicitHashKey));
    }
    entries.push({ data, tags, partitionKeyIndex, hashKeyIndex, length });
    bytes += added;
    return true;
  }

  function build(): Uint8Array {
    const writer = createWriter(bytes);
    writer.bytes(AGGREGATE_MAGIC);
    writeTable(writer, TABLE_OF_PARTITION_KEYS, partitionKeys);
    writeTable(writer, TABLE_OF_HASH_KEYS, hashKeys);
    for (const entry of entries) writeEntry(writer, entry);
    writer.bytes(hash('md5', writer.buffer.subarray(MAGIC_BYTES, bytes - DIGEST_BYTES), 'buffer'));
    partitionKeys = emptyTable();
    hashKeys = emptyTable();
    entries = [];
    bytes = AGGREGATE_ENVELOPE_BYTES;
    return writer.buffer;
  }

  return {
    add,
    build,
    get bytes() {
      return bytes;
    },
    get recordCount() {
      return entries.length;
    },
  };
}

function append(table: KeyTable, key: string, length: number): void {
  table.indexes.set(key, table.keys.length);
  table.keys.push({ key, length });
}

type Writer = ReturnType<typeof createWriter>;

function writeTable(writer: Writer, tagByte: number, table: KeyTable): void {
  for (const { key, length } of table.keys) {
    writer.field(tagByte, length);
    writer.text(key, length);
  }
}

function writeEntry(writer: Writer, entry: Entry): void {
  writer.field(RECORD, entry.length);
  writer.field(PARTITION_KEY_INDEX, entry.partitionKeyIndex);
  if (entry.hashKeyIndex !== NO_HASH_KEY) writer.field(HASH_KEY_INDEX, entry.hashKeyIndex);
  writer.field(DATA, entry.data.length);
  writer.bytes(entry.data);
  for (const remark of entry.tags ?? []) writeTag(writer, remark);
}

function writeTag(writer: Writer, remark: UserRecordTag): void {
  writer.field(TAGS, tagBytes(remark));
  const keyLength = Buffer.byteLength(remark.key);
  writer.field(TAG_KEY, keyLength);
  writer.text(remark.key, keyLength);
  if (remark.value === undefined) return;
  const valueLength = Buffer.byteLength(remark.value);
  writer.field(TAG_VALUE, valueLength);
  writer.text(remark.value, valueLength);
}

/** One aggregated record of all `records`, in order. Throws RangeError when it would exceed `bytesMax` (see {@link createAggregateBuilder}). */
export function encodeAggregate(
  records: Iterable<AggregatedUserRecord>,
  bytesMax: number = RECORD_BYTES_MAX,
): Uint8Array {
  const builder = createAggregateBuilder(bytesMax);
  for (const record of records) {
    if (!builder.add(record, record.tags))
      throw new RangeError(`an aggregated record holds at most ${bytesMax} bytes`);
  }
  return builder.build();
}
