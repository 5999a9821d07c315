import type { CodedErrorOptions } from '@twinstream/runtime';
import { ProducerError, type PutErrorCode, type SendErrorCode } from './producer-error.ts';
import type { FailedRecord, FlushReport } from './put-outcome.ts';

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
