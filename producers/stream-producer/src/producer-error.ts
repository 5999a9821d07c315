import { CodedError, type CodedErrorOptions } from '@twinstream/runtime';

/** Why `put` does not accept a record. */
export const PUT_ERROR_CODES = [
  'RECORD_TOO_LARGE',
  'INVALID_PARTITION_KEY',
  'INVALID_EXPLICIT_HASH_KEY',
  'PRODUCER_CLOSED',
  'TOO_MANY_WAITING_PUTS',
  'UNCLAIMED_FAILURES',
] as const;
/** Why the producer has failed an accepted record. */
export const FAILURE_CODES = ['EVENT_EXPIRED', 'STREAM_REJECTED', 'PRODUCER_ABORTED'] as const;

export type PutErrorCode = (typeof PUT_ERROR_CODES)[number];
export type FailureCode = (typeof FAILURE_CODES)[number];
/** Why `send` rejects. */
export type SendErrorCode = PutErrorCode | FailureCode | 'SEND_ABORTED';
/** Every code of an error that a producer makes. */
export type ProducerErrorCode = SendErrorCode | 'RECORDS_FAILED' | 'INVALID_PRODUCER_OPTIONS';

/** An error of a producer, told apart by `code`. The last failure of the stream, when there is one, is its `cause`. */
export class ProducerError<Code extends ProducerErrorCode = ProducerErrorCode> extends CodedError {
  declare readonly code: Code;

  constructor(code: Code, message: string, options: CodedErrorOptions = {}) {
    super(code, message, options);
    this.name = 'ProducerError';
  }
}
