import { type Clock, type Logger, withDeadline } from '@twinstream/runtime';
import {
  type BatchAnswer,
  compareSequenceNumbers,
  type KinesisLambdaEvent,
  type LambdaContext,
  readBatch,
  type SequenceNumber,
  type StreamBatch,
  unfinishedFrom,
} from '@twinstream/stream-model';
import { type DeliveryReport, deliverPacks } from './deliver-packs.ts';
import type { DeliveryStream } from './delivery-stream.ts';
import { PACK_LIMITS, type PackLimits, packBatch } from './pack-batch.ts';

export interface ArchiverServices {
  readonly deliveryStream: DeliveryStream;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Draws from [0, 1). */
  readonly random: () => number;
}

export interface ArchiverOptions {
  readonly packLimits: PackLimits;
  /** Time kept free before the invocation's end, to abort the request, await it and answer; milliseconds. */
  readonly deadlineMarginMs: number;
}

export const ARCHIVER_OPTIONS: ArchiverOptions = { packLimits: PACK_LIMITS, deadlineMarginMs: 2_000 };

export type Archiver = (event: KinesisLambdaEvent, context: LambdaContext) => Promise<BatchAnswer>;

/**
 * A function that archives batches. A record is acknowledged only when every line of it was taken by the delivery stream;
 * what comes again is archived again, under the same position.
 */
export function createArchiver(
  services: ArchiverServices,
  options: ArchiverOptions = ARCHIVER_OPTIONS,
): Archiver {
  return async (event, context) => {
    const startedTime = services.clock.now();
    const batch = readBatch(event);
    const packs = packBatch(batch, options.packLimits);
    const workMs = context.getRemainingTimeInMillis() - options.deadlineMarginMs;
    const delivery = await withDeadline(services.clock, workMs, (signal) =>
      deliverPacks(services, packs, signal),
    );
    const from = earliest(delivery.unfinishedFrom, batch.disorder?.sequenceNumber);
    logSummary(services, context, batch, delivery, startedTime, from);
    return unfinishedFrom(from);
  };
}

function earliest(a: SequenceNumber | undefined, b: SequenceNumber | undefined): SequenceNumber | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareSequenceNumbers(a, b) <= 0 ? a : b;
}

/** One line per batch; a warning where a part of it must come again. */
function logSummary(
  { logger, clock }: ArchiverServices,
  { awsRequestId }: LambdaContext,
  { streamName, shardId, records, disorder }: StreamBatch,
  { lines, packs, bytes, requests, retried, failure }: DeliveryReport,
  startedTime: number,
  from: SequenceNumber | undefined,
): void {
  const summary = {
    requestId: awsRequestId,
    streamName,
    shardId,
    records: records.length,
    events: lines.event + lines.base64 + lines.tooLarge,
    base64: lines.base64,
    tooLarge: lines.tooLarge,
    packs,
    bytes,
    requests,
    retried,
    durationMs: clock.now() - startedTime,
  };
  if (from === undefined) logger.info(summary, 'batch archived');
  else {
    const fault = {
      unfinishedFrom: from,
      ...(disorder === undefined ? {} : { disorderAt: disorder.index }),
      ...(failure === undefined ? {} : { error: failure }),
    };
    logger.warn({ ...summary, ...fault }, 'batch archived in part');
  }
}
