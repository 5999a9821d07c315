import type { MAPPING_REJECTION_REASONS, RejectionReason } from '@twinstream/device-model';

/**
 * Thrown inside a compiled mapping and caught at its edge, where it becomes a rejection: a value that is missing or
 * cannot be converted ends the event, however deep in the mapping it is met.
 */
export class MappingFault extends Error {
  readonly reason: (typeof MAPPING_REJECTION_REASONS)[number] | RejectionReason;
  /** Place in the mapping document. */
  readonly at: string;

  constructor(reason: RejectionReason, at: string, detail: string) {
    super(detail);
    this.reason = reason;
    this.at = at;
  }
}

/** A fault of a mapping document: where it is and what should stand there. */
export interface DocumentFault {
  readonly at: string;
  readonly message: string;
}

/** Thrown while a document is compiled, and caught by `compileMappings`. */
export class InvalidDocument extends Error {
  readonly at: string;

  constructor(at: string, message: string) {
    super(message);
    this.at = at;
  }
}
