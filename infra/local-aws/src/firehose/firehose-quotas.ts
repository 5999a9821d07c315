/*
 * Limits of Amazon Data Firehose. Sources: PutRecordBatch, CreateDeliveryStream and BufferingHints, API reference, read
 * 2026-11.
 */
const KIB = 1024;
const MIB = 1024 * KIB;

/** Data of one record, after base64 is decoded. */
export const RECORD_BYTES_MAX = 1_000 * KIB;
export const BATCH_RECORDS_MAX = 500;
/** Data of all records of a request, after base64 is decoded. */
export const BATCH_BYTES_MAX = 4 * MIB;

export const BUFFER_MIB = { min: 1, max: 128 } as const;
export const BUFFER_SECONDS = { min: 0, max: 900 } as const;
export const FILE_EXTENSION_CHARACTERS_MAX = 128;
export const PREFIX_CHARACTERS_MAX = 1_024;
export const LIST_STREAMS_MAX = 10_000;
export const LIST_STREAMS_DEFAULT = 10;

/** Buffering where CreateDeliveryStream names none. AWS takes 5 MiB and 300 s; here a person waits for the objects. */
export const LOCAL_BUFFERING = { bytesMax: 5 * MIB, intervalMs: 5_000 } as const;

export { MIB };
