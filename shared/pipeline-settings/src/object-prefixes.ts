/** Prefixes of the objects in a pipeline's bucket. Writers, readers, roles and lifecycle rules use the same ones. */

/** Archive lines, by hour of delivery. */
export const ARCHIVE_PREFIX = 'archive/';
/** The dead-letter store: poison records, by hour of arrival. */
export const QUARANTINE_PREFIX = 'quarantine/';
/** Poison records that an operator resolved. */
export const RESOLVED_PREFIX = 'quarantine-resolved/';
/**
 * Batches that a mapping gave up. The prefix is AWS's own and cannot be chosen: "Retain discarded batch records", Lambda
 * developer guide, read 2026-11.
 */
export const FAILED_BATCHES_PREFIX = 'aws/lambda/';
