import type { UserRecord } from './user-record.ts';

/*
 * The aggregation format of the Kinesis Producer Library: magic, protobuf message, MD5 of the message. Source:
 * aggregation-format.md of awslabs/amazon-kinesis-producer, read 2026-11.
 *
 *   message AggregatedRecord {                  message Record {
 *     repeated string partition_key_table = 1;    required uint64 partition_key_index = 1;
 *     repeated string explicit_hash_key_table = 2;  optional uint64 explicit_hash_key_index = 2;
 *     repeated Record records = 3;                required bytes data = 3;
 *   }                                             repeated Tag tags = 4;
 *   message Tag { required string key = 1; optional string value = 2; }
 */

/** First bytes of an aggregated record. */
export const AGGREGATE_MAGIC: Uint8Array = Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2);
export const MAGIC_BYTES = 4;
export const DIGEST_BYTES = 16;
/** Bytes of an aggregated record besides its protobuf message: the magic before and the MD5 after. */
export const AGGREGATE_ENVELOPE_BYTES = MAGIC_BYTES + DIGEST_BYTES;

/** Remarks on a user record. The KPL reserves them and writes none; they are kept. */
export interface UserRecordTag {
  readonly key: string;
  readonly value?: string;
}

/** One entry of an aggregated record. Its index among the entries is its sub-sequence number. */
export interface AggregatedUserRecord extends UserRecord {
  readonly tags?: readonly UserRecordTag[];
}

/** Protobuf wire types; 3 and 4 are groups, which proto2 still allows in fields that a reader does not know. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const;
export const FIELD = {
  aggregate: { partitionKeyTable: 1, explicitHashKeyTable: 2, records: 3 },
  record: { partitionKeyIndex: 1, explicitHashKeyIndex: 2, data: 3, tags: 4 },
  tag: { key: 1, value: 2 },
} as const;
