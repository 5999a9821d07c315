import { type EntryDecoder, ownFormatDecoder } from '@twinstream/device-model';
import type { EventStore } from '@twinstream/event-store';
import type { LatestStateTable, ShardProgressTable } from '@twinstream/latest-state';
import {
  type DeviceReport,
  HeadCache,
  isWhole,
  openBatch,
  projectDevice,
  withRefused,
} from '@twinstream/projection';
import type { QuarantinedRecord, QuarantineStore } from '@twinstream/quarantine';
import { type Clock, CodedError, type Logger, withDeadline } from '@twinstream/runtime';
import {
  type BatchAnswer,
  compareSequenceNumbers,
  type KinesisLambdaEvent,
  readBatch,
  type SequenceNumber,
  type ShardId,
  type StreamBatch,
  unfinishedFrom,
} from '@twinstream/stream-model';
import pLimit from 'p-limit';
import { advanceProgress, OVERLAP_SILENCE_MS } from './advance-progress.ts';
import { type BatchSummary, batchSummary } from './batch-summary.ts';
import type { ProjectorOptions } from './options.ts';

export interface ProjectorServices {
  /** Makes events of records. Default: events of this project's own format alone. */
  readonly decoder?: EntryDecoder;
  readonly eventStore: EventStore;
  readonly latestState: LatestStateTable;
  readonly shardProgress: ShardProgressTable;
  readonly quarantine: QuarantineStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Receives the one summary of each batch. */
  readonly report: (summary: BatchSummary) => void;
}

/** What of a Lambda invocation matters here. */
export interface Invocation {
  readonly requestId: string;
  /** Milliseconds until Lambda ends the invocation. */
  readonly remainingMs: () => number;
}

export type Projector = (event: KinesisLambdaEvent, invocation: Invocation) => Promise<BatchAnswer>;

/** A part of the batch that could not be finished, and the record with which it begins. */
interface Unfinished {
  readonly from: SequenceNumber;
  readonly error: unknown;
}

/** A projector with its own cache of heads: one per container. */
export function createProjector(services: ProjectorServices, options: ProjectorOptions): Projector {
  const heads = new HeadCache(options.headsMax);
  const limit = pLimit(options.devicesAtOnce);

  /** Until when no progress is claimed of shards whose batches were seen to overlap: one invocation does not know it. */
  const silentUntil = new Map<ShardId, number>();
  const claimsProgress = (shardId: ShardId, now: number) =>
    options.parallelizationFactor === 1 && now >= (silentUntil.get(shardId) ?? 0);

  const { decoder = ownFormatDecoder } = services;
  const deviceServices = { ...services, ...options, heads };

  return async (event, { requestId, remainingMs }) => {
    const startedTime = services.clock.now();
    const batch = readBatch(event);
    const opened = openBatch(batch, decoder);
    const reports: DeviceReport[] = [];
    const unfinished: Unfinished[] = disorderOf(batch);

    await withDeadline(services.clock, remainingMs() - options.deadlineMarginMs, async (signal) => {
      const attempt = async (from: SequenceNumber, work: () => Promise<void>): Promise<void> => {
        try {
          await limit(async () => {
            signal.throwIfAborted();
            await work();
          });
        } catch (error) {
          unfinished.push({ from, error });
        }
      };
      const quarantining = async (records: readonly QuarantinedRecord[]): Promise<void> => {
        const put = (record: QuarantinedRecord) =>
          attempt(record.sequenceNumber, () => services.quarantine.put(record, signal));
        await Promise.all(records.map(put));
      };
      const projecting = opened.devices.map((device) =>
        attempt(device.from, async () => {
          reports.push(await projectDevice(deviceServices, device, signal));
        }),
      );
      await Promise.all([...projecting, quarantining(opened.poison.filter(isWhole))]);
      // One object holds all that is refused of a record. Of what is delivered again it is not known yet.
      const refused = reports.flatMap((report) => report.refused);
      const mixed = opened.poison.filter((record) => !isWhole(record));
      const before = earliestOf(unfinished)?.from;
      const settled = withRefused(batch, mixed, refused).filter(
        ({ sequenceNumber }) => before === undefined || compareSequenceNumbers(sequenceNumber, before) < 0,
      );
      await quarantining(settled);
    });

    const earliest = earliestOf(unfinished);
    const overlaps =
      claimsProgress(batch.shardId, startedTime) &&
      (await advanceProgress(services, batch, earliest?.from)) === 'overlap';
    const finishedTime = services.clock.now();
    if (overlaps) silentUntil.set(batch.shardId, finishedTime + OVERLAP_SILENCE_MS);
    services.report(
      batchSummary({
        ...{ requestId, batch, opened, reports, unfinished, startedTime, finishedTime, overlaps },
        mappings: decoder.mappings,
      }),
    );
    return unfinishedFrom(earliest?.from);
  };
}

/** Order is enforced: a record that does not rise is not worked on, and the next delivery begins with it. */
function disorderOf({ shardId, disorder }: StreamBatch): Unfinished[] {
  if (disorder === undefined) return [];
  const { index, sequenceNumber } = disorder;
  const message = `record ${index} of ${shardId} does not rise above the one before it`;
  return [{ from: sequenceNumber, error: new CodedError('ORDER_VIOLATION', message, { retryable: true }) }];
}

function earliestOf(unfinished: readonly Unfinished[]): Unfinished | undefined {
  let earliest: Unfinished | undefined;
  for (const part of unfinished) {
    if (earliest === undefined || compareSequenceNumbers(part.from, earliest.from) < 0) earliest = part;
  }
  return earliest;
}
