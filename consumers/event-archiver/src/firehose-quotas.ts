/*
 * Limits of Amazon Data Firehose. Sources: PutRecordBatch API reference, "Quota" of the developer guide, and the pricing
 * page, read 2026-11.
 */
const KIB = 1024;

/** Largest record, before base64. */
export const FIREHOSE_RECORD_BYTES_MAX = 1_000 * KIB;
export const PUT_RECORD_BATCH_RECORDS_MAX = 500;
/** Of a whole request. The reference does not say whether before or after base64, so it is counted after. */
export const PUT_RECORD_BATCH_BYTES_MAX = 4 * KIB * KIB;
/** A record is billed as a multiple of it. */
export const FIREHOSE_BILLING_BYTES = 5 * KIB;
