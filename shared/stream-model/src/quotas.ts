/**
 * Limits of Kinesis Data Streams and of a record on its way. Sources: "Quotas and limits" of the Kinesis Data
 * Streams developer guide and the API reference, read 2026-11.
 */
const KIB = 1024;
const MIB = 1024 * KIB;

/** Days that every stream of this project keeps its records: 168 h. AWS's default is 24 h. */
export const RETENTION_HOURS = 168;
export const RETENTION_HOURS_MIN = 24;
export const RETENTION_HOURS_MAX = 8_760;

/** Into one shard, per second: data and partition keys together. */
export const SHARD_IN_BYTES_PER_SECOND = MIB;
export const SHARD_IN_RECORDS_PER_SECOND = 1_000;
/** Out of one shard, per second, shared by all consumers that poll. */
export const SHARD_OUT_BYTES_PER_SECOND = 2 * MIB;
export const GET_RECORDS_CALLS_PER_SECOND = 5;
export const GET_RECORDS_RECORDS_MAX = 10_000;
export const GET_RECORDS_BYTES_MAX = 10 * MIB;

export const PUT_RECORDS_RECORDS_MAX = 500;
/** Data and partition keys of one PutRecords request; many documents still say 5 MiB. */
export const PUT_RECORDS_BYTES_MAX = 10 * MIB;
/** Data and partition key of one record, where the stream has not opted in to more. */
export const RECORD_BYTES_MAX = MIB;
export const PARTITION_KEY_CHARACTERS_MAX = 256;
