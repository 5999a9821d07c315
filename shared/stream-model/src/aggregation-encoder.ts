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

/** Sizes here stay below 2^31: a record has at most 10 MiB. */
function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

const delimitedBytes = (length: number): number => 1 + varintBytes(length) + length;

function tagBytes(entry: UserRecordTag): number {
  const key = delimitedBytes(Buffer.byteLength(entry.key));
  return entry.value === undefined ? key : key + delimitedBytes(Buffer.byteLength(entry.value));
}

function tagsBytes(tags: readonly UserRecordTag[] | undefined): number {
  let bytes = 0;
  for (const entry of tags ?? []) bytes += delimitedBytes(tagBytes(entry));
  return bytes;
}

/** Strings in order of first use, each once. A Map, because object keys that look like integers would be sorted. */
interface KeyTable {
  readonly indexes: Map<string, number>;
  readonly keys: string[];
  readonly lengths: number[];
}

const emptyTable = (): KeyTable => ({ indexes: new Map(), keys: [], lengths: [] });

function append(table: KeyTable, key: string, length: number): void {
  table.indexes.set(key, table.keys.length);
  table.keys.push(key);
  table.lengths.push(length);
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
    offset: () => offset,
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
  let entries: Uint8Array[] = [];
  let tagLists: (readonly UserRecordTag[] | undefined)[] = [];
  let partitionKeyIndexes: number[] = [];
  let hashKeyIndexes: number[] = [];
  let bodyLengths: number[] = [];
  let bytes = AGGREGATE_ENVELOPE_BYTES;

  function add(
    { partitionKey, explicitHashKey, data }: UserRecord,
    tags?: readonly UserRecordTag[],
  ): boolean {
    let added = 0;
    const knownKey = partitionKeys.indexes.get(partitionKey);
    const keyLength = knownKey === undefined ? Buffer.byteLength(partitionKey) : 0;
    const keyIndex = knownKey ?? partitionKeys.keys.length;
    if (knownKey === undefined) added += delimitedBytes(keyLength);
    let body = 1 + varintBytes(keyIndex) + delimitedBytes(data.length);
    let hashKeyIndex = NO_HASH_KEY;
    let isNewHashKey = false;
    if (explicitHashKey !== undefined) {
      const known = hashKeys.indexes.get(explicitHashKey);
      isNewHashKey = known === undefined;
      hashKeyIndex = known ?? hashKeys.keys.length;
      if (isNewHashKey) added += delimitedBytes(Buffer.byteLength(explicitHashKey));
      body += 1 + varintBytes(hashKeyIndex);
    }
    if (tags !== undefined) body += tagsBytes(tags);
    added += delimitedBytes(body);
    if (bytes + added > bytesMax) return false;

    if (knownKey === undefined) append(partitionKeys, partitionKey, keyLength);
    if (explicitHashKey !== undefined && isNewHashKey) {
      append(hashKeys, explicitHashKey, Buffer.byteLength(explicitHashKey));
    }
    entries.push(data);
    tagLists.push(tags);
    partitionKeyIndexes.push(keyIndex);
    hashKeyIndexes.push(hashKeyIndex);
    bodyLengths.push(body);
    bytes += added;
    return true;
  }

  function build(): Uint8Array {
    const writer = createWriter(bytes);
    writer.bytes(AGGREGATE_MAGIC);
    writeTable(writer, TABLE_OF_PARTITION_KEYS, partitionKeys);
    writeTable(writer, TABLE_OF_HASH_KEYS, hashKeys);
    for (const [at, data] of entries.entries()) {
      writer.field(RECORD, bodyLengths[at] ?? 0);
      writer.field(PARTITION_KEY_INDEX, partitionKeyIndexes[at] ?? 0);
      const hashKeyIndex = hashKeyIndexes[at] ?? NO_HASH_KEY;
      if (hashKeyIndex !== NO_HASH_KEY) writer.field(HASH_KEY_INDEX, hashKeyIndex);
      writer.field(DATA, data.length);
      writer.bytes(data);
      for (const remark of tagLists[at] ?? []) writeTag(writer, remark);
    }
    const digest = hash('md5', writer.buffer.subarray(MAGIC_BYTES, bytes - DIGEST_BYTES), 'buffer');
    writer.bytes(digest);
    partitionKeys = emptyTable();
    hashKeys = emptyTable();
    entries = [];
    tagLists = [];
    partitionKeyIndexes = [];
    hashKeyIndexes = [];
    bodyLengths = [];
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

type Writer = ReturnType<typeof createWriter>;

function writeTable(writer: Writer, tagByte: number, table: KeyTable): void {
  for (const [at, key] of table.keys.entries()) {
    const length = table.lengths[at] ?? 0;
    writer.field(tagByte, length);
    writer.text(key, length);
  }
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
