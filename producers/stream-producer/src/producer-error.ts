import { CodedError, type CodedErrorOptions } from '@twinstream/runtime';
import type { FailedRecord, FlushReport } from './put-outcome.ts';

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

/** `send` has not got an acknowledgement. What the producer says of the record is the `cause`. */
export class SendError extends ProducerError<SendErrorCode> {
  /** How often the record was sent; 0 when it never left, undefined when it is still on its way. */
  readonly attempts: number | undefined;
  /** True when a copy may be in the stream, or may still land there. */
  readonly possiblyStored: boolean;

  private constructor(
    code: SendErrorCode,
    message: string,
    options: CodedErrorOptions,
    attempts: number | undefined,
    possiblyStored: boolean,
  ) {
    super(code, message, options);
    this.name = 'SendError';
    this.attempts = attempts;
    this.possiblyStored = possiblyStored;
  }

  /** The record was accepted and has failed. */
  static failed({ reason, attempts, possiblyStored }: FailedRecord): SendError {
    const { code, message, retryable } = reason;
    return new SendError(code, message, { retryable, cause: reason }, attempts, possiblyStored);
  }

  /** The record was not accepted. */
  static refused(reason: ProducerError<PutErrorCode>): SendError {
    const { code, message, retryable } = reason;
    return new SendError(code, message, { retryable, cause: reason }, 0, false);
  }

  /** The caller waits no longer. `isSent`: the producer has the record, and goes on with it. */
  static aborted(cause: unknown, isSent: boolean): SendError {
    const message = isSent
      ? 'send was aborted: the record stays with the producer, and may be stored'
      : 'send was aborted before the record was put';
    return new SendError('SEND_ABORTED', message, { cause }, isSent ? undefined : 0, isSent);
  }
}

/** Leaving an `await using` block has closed a producer, and records failed meanwhile or had failed without a callback. */
export class RecordsFailedError extends ProducerError<'RECORDS_FAILED'> {
  readonly report: FlushReport;

  constructor(report: FlushReport) {
    super('RECORDS_FAILED', `${report.failed.length} records failed before the producer was closed`);
    this.name = 'RecordsFailedError';
    this.report = report;
  }
}
