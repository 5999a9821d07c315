import type { DeviceId } from '@twinstream/device-model';
import { PAGE_WRITING, type PageWriting } from '@twinstream/pipeline-settings';
import { HeadCache, projectDevice } from '@twinstream/projection';
import { type Clock, CodedError, type Logger } from '@twinstream/runtime';
import { fullJitterMs } from '@twinstream/stream-model';
import pLimit from 'p-limit';
import { arrivedLine } from '../history/event-line.ts';
import type { Stores } from '../services.ts';
import { type DecodeOptions, decodeEntries, devicesOf, type ReplayBatch } from './replay-entry.ts';
import { addOutcomes, type ShardCounts } from './replay-job.ts';

/** Takes the batches of a replay. When it resolves, the batch is done with: durable where the target is. */
export type ReplayTargetFunction = (
  batch: ReplayBatch,
  counts: ShardCounts,
  signal: AbortSignal,
) => Promise<void>;

/** Reads, decodes and counts. */
export function countingTarget(options: DecodeOptions): ReplayTargetFunction {
  return async (batch, counts) => {
    for await (const _ of decodeEntries(batch, options, counts)) counts.applied += 1;
  };
}

/** One line of JSON for each event, as `history --output json` writes them, without what only a stored event has. */
export function linesTarget(
  options: DecodeOptions,
  write: (text: string) => Promise<void>,
): ReplayTargetFunction {
  return async (batch, counts) => {
    const lines: string[] = [];
    for await (const { entry, arrived } of decodeEntries(batch, options, counts)) {
      lines.push(`${arrivedLine({ ...arrived, shardId: entry.shardId })}\n`);
      counts.applied += 1;
    }
    if (lines.length > 0) await write(lines.join(''));
  };
}

export interface ProjectingOptions extends DecodeOptions {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly random?: () => number;
  readonly logger: Logger;
  /** Default: {@link PAGE_WRITING}. */
  readonly pageWriting?: PageWriting;
  /** True marks what is stored as appended by a repair. */
  readonly isRepair: boolean;
  /** Devices that are left alone. */
  readonly isLeftOut?: (deviceId: DeviceId) => Promise<boolean>;
  readonly onFailure: (deviceId: DeviceId, error: unknown) => void;
  readonly headsMax?: number;
}

const DEVICES_AT_ONCE = 64;
const HEADS_MAX = 100_000;
/** Tries of a device that is throttled or not answered, some two minutes in all. */
const TRIES_MAX = 12;
const BACKOFF = { baseMs: 200, capMs: 20_000 } as const;

/** The way of the live projector: events of a device in order, devices beside each other. */
export function projectingTarget(options: ProjectingOptions): ReplayTargetFunction {
  const { stores, logger, isRepair, isLeftOut, onFailure, headsMax = HEADS_MAX } = options;
  const { pageWriting = PAGE_WRITING } = options;
  const heads = new HeadCache(headsMax);
  const limit = pLimit(DEVICES_AT_ONCE);
  // Fresh tables take what the live projector took, in whatever order the shards are read; a repair accepts by its rules.
  const writing = { ...stores, logger, heads, ...pageWriting, repaired: isRepair, acceptsAhead: !isRepair };
  return async (batch, counts, signal) => {
    const devices = await devicesOf(batch.shardId, decodeEntries(batch, options, counts));
    const results = await Promise.allSettled(
      devices.map((device) =>
        limit(async () => {
          signal.throwIfAborted();
          if (isLeftOut !== undefined && (await isLeftOut(device.deviceId))) {
            counts.skipped += device.arrived.length;
            return;
          }
          try {
            const { outcomes, refused } = await retryTransient(options, signal, () =>
              projectDevice(writing, device, signal),
            );
            addOutcomes(counts, outcomes);
            counts.quarantined += refused.length;
          } catch (error) {
            if (!isOfDevice(error)) throw error;
            counts.failed += device.arrived.length;
            onFailure(device.deviceId, error);
          }
        }),
      ),
    );
    const failure = results.find((result) => result.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
  };
}

/** Failures that say something about one device, and nothing about the others. */
function isOfDevice(error: unknown): boolean {
  return error instanceof CodedError && !error.retryable && error.code !== 'DYNAMODB_REFUSED';
}

/** Repeats what may pass. */
export async function retryTransient<Result>(
  { clock, random = Math.random }: Pick<ProjectingOptions, 'clock' | 'random'>,
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CodedError) || !error.retryable || tries >= TRIES_MAX) throw error;
      await clock.sleep(fullJitterMs(tries, BACKOFF, random), signal);
    }
  }
}
