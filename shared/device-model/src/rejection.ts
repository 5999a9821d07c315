/** Why a payload of a foreign shape does not become an event: decided by the mappings in use. */
export const MAPPING_REJECTION_REASONS = [
  'no-mapping',
  'undecodable-payload',
  'unmapped-value',
  'mapping-limit',
] as const;

/** Rejection reasons of invalid records. Quarantine lists them, and operators filter by them. */
export const REJECTION_REASONS = [
  'empty',
  'too-large',
  'invalid-utf8',
  'not-json',
  'not-object',
  'unsupported-version',
  'missing-device-id',
  'invalid-device-id',
  'invalid-type',
  'invalid-time',
  'invalid-counter',
  'invalid-data',
  'too-many-attributes',
  'invalid-attribute-name',
  'invalid-text',
  'number-out-of-range',
  'data-too-deep',
  'invalid-correction',
  'correction-ahead',
  'damaged-aggregate',
  ...MAPPING_REJECTION_REASONS,
] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

export interface Rejection {
  readonly rejected: RejectionReason;
  /** One sentence for people: what is wrong and what it should be. Never holds the payload. */
  readonly detail: string;
}

export function rejection(reason: RejectionReason, detail: string): Rejection {
  return { rejected: reason, detail };
}
