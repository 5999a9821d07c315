import { type Clock, CodedError } from '@twinstream/runtime';
import { type BackoffOptions, fullJitterMs, type SequenceNumber } from '@twinstream/stream-model';
import type { DeliveryStream } from './delivery-stream.ts';
import { PUT_RECORD_BATCH_BYTES_MAX, PUT_RECORD_BATCH_RECORDS_MAX } from './firehose-quotas.ts';
import { type ArchivePack, type LineCounts, noLines } from './pack-batch.ts';

export interface DeliveryServices {
  readonly deliveryStream: DeliveryStream;
  readonly clock: Clock;
  /** Draws from [0, 1). */
  readonly random: () => number;
}

/** Outcomes of the packs. */
export interface DeliveryReport {
  /** Lines, packs and bytes that were taken. */
  lines: LineCounts;
  packs: number;
  bytes: number;
  requests: number;
  /** Packs that were not taken and sent again, each time. */
  retried: number;
  /** First record of the stream that is not archived whole; absent when all are. */
  unfinishedFrom?: SequenceNumber;
  /** Why that record is not. */
  failure?: unknown;
}

/** Between tries of what was not taken. The deadline of the invocation limits their number. */
export const DELIVERY_BACKOFF: BackoffOptions = { baseMs: 100, capMs: 3_000 };

/**
 * Puts the packs, one request after the other, each until it is taken whole. Stops before the rest when the signal is
 * aborted, or when the delivery stream refuses. Never throws for what the delivery stream does.
 */
export async function deliverPacks(
  services: DeliveryServices,
  packs: Iterable<ArchivePack>,
  signal: AbortSignal,
): Promise<DeliveryReport> {
  const report: DeliveryReport = { lines: noLines(), packs: 0, bytes: 0, requests: 0, retried: 0 };
  for (const request of requestsOf(packs)) {
    const left = await deliverRequest(services, request, signal, report);
    if (left === undefined) continue;
    report.unfinishedFrom = left.from;
    report.failure = left.failure;
    break;
  }
  return report;
}

/** Undefined when all of the request was taken; otherwise the first record that was not, and why. */
async function deliverRequest(
  { deliveryStream, clock, random }: DeliveryServices,
  request: readonly ArchivePack[],
  signal: AbortSignal,
  report: DeliveryReport,
): Promise<{ readonly from: SequenceNumber; readonly failure: unknown } | undefined> {
  let pending = request;
  let failure: unknown;
  for (let attempt = 0; ; attempt += 1) {
    const [first] = pending;
    if (first === undefined) return undefined;
    try {
      if (attempt > 0) await clock.sleep(fullJitterMs(attempt - 1, DELIVERY_BACKOFF, random), signal);
      signal.throwIfAborted();
      report.requests += 1;
      if (attempt > 0) report.retried += pending.length;
      const rejections = await deliveryStream.put(
        pending.map(({ data }) => data),
        signal,
      );
      const rejected = new Map(rejections.map(({ index, errorCode }) => [index, errorCode]));
      for (const [index, pack] of pending.entries()) if (!rejected.has(index)) count(report, pack);
      pending = pending.filter((_, index) => rejected.has(index));
      failure = rejectionError(rejections[0]?.errorCode);
    } catch (error) {
      if (signal.aborted) return { from: first.from, failure: failure ?? error };
      if (!(error instanceof CodedError && error.retryable)) return { from: first.from, failure: error };
      failure = error;
    }
  }
}

function rejectionError(errorCode: string | undefined): CodedError | undefined {
  if (errorCode === undefined) return undefined;
  return new CodedError('DELIVERY_UNAVAILABLE', `records were not taken: ${errorCode}`, { retryable: true });
}

function count(report: DeliveryReport, { data, lines }: ArchivePack): void {
  report.packs += 1;
  report.bytes += data.length;
  report.lines.event += lines.event;
  report.lines.base64 += lines.base64;
  report.lines.tooLarge += lines.tooLarge;
}

/** What a record adds to a request besides its base64: `{"Data":""},`. */
const RECORD_FRAME_BYTES = 12;
/** What a request holds besides its records: the names of its members and of the stream, at most 64 characters. */
const REQUEST_FRAME_BYTES = 128;

/** Groups packs into requests within Firehose's limits, as they are consumed. */
export function* requestsOf(
  packs: Iterable<ArchivePack>,
): Generator<readonly ArchivePack[], void, undefined> {
  let request: ArchivePack[] = [];
  let bytes = REQUEST_FRAME_BYTES;
  for (const pack of packs) {
    const added = RECORD_FRAME_BYTES + Math.ceil(pack.data.length / 3) * 4;
    const isFull =
      request.length >= PUT_RECORD_BATCH_RECORDS_MAX || bytes + added > PUT_RECORD_BATCH_BYTES_MAX;
    if (isFull && request.length > 0) {
      yield request;
      request = [];
      bytes = REQUEST_FRAME_BYTES;
    }
    request.push(pack);
    bytes += added;
  }
  if (request.length > 0) yield request;
}
