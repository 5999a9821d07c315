import { INVOCATION_PAYLOAD_BYTES_MAX, type ResolvedSettings } from '@twinstream/pipeline-settings';
import type { Clock, Logger } from '@twinstream/runtime';
import { type BackoffOptions, fullJitterMs, hashKey, type ShardId } from '@twinstream/stream-model';
import { type Wake, wake } from '../kinesis/wake.ts';
import type { CheckpointStore } from './checkpoint.ts';
import { type DeliveryEvent, deliverBatch } from './deliver-batch.ts';
import type { FailureDestination } from './failure-destination.ts';
import type { FunctionInvoker } from './function-invoker.ts';
import { type EventOrigin, type EventRecord, eventRecordWriter } from './kinesis-event.ts';
import { type Lane, lane } from './lane.ts';
import type { ReadBudget } from './read-budget.ts';
import type { RecordFilter } from './record-filter.ts';
import { type ShardProgress, shardProgress } from './shard-progress.ts';
import type { ReadOutcome, ShardReader, ShardStart, SourceRecord } from './shard-reader.ts';

/** How soon an idle shard is read again. AWS polls once a second. */
export const IDLE_POLL_MS = 200;
/** Waits after a throttled read, or one that failed. */
const READ_BACKOFF: BackoffOptions = { baseMs: 200, capMs: 2_000 };
/** Waits while the failure destination does not take a batch. */
const DISCARD_BACKOFF: BackoffOptions = { baseMs: 200, capMs: 10_000 };
/** Batches per lane that are read ahead of the function, by count and by bytes. */
const READ_AHEAD_BATCHES = 2;

/** What a mapping is and what it uses, the same for all its shards. */
export interface MappingContext {
  readonly mappingId: string;
  readonly functionName: string;
  readonly streamName: string;
  readonly origin: EventOrigin;
  readonly settings: ResolvedSettings;
  readonly reader: ShardReader;
  readonly invoker: FunctionInvoker;
  readonly checkpoints: CheckpointStore;
  /** Undefined where the mapping names none: given-up records are dropped then, as on AWS. */
  readonly failureDestination: FailureDestination | undefined;
  /** Absent where the mapping has no filter: each record is delivered. */
  readonly filter?: RecordFilter | undefined;
  readonly readBudget: ReadBudget;
  readonly clock: Clock;
  /** Draws from [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  observe(shardId: ShardId, event: ConsumerEvent): void;
}

export type ConsumerEvent =
  | DeliveryEvent
  | { readonly kind: 'read'; readonly records: number; readonly millisBehindLatest: number }
  | { readonly kind: 'filtered'; readonly records: number }
  | { readonly kind: 'read-throttled' | 'read-failed' | 'discard-failed' };

/** Ends of the two phases of stopping. */
export interface StopSignals {
  /** No new read, wait or invocation begins. */
  readonly stop: AbortSignal;
  /** Invocations under way are cut off. */
  readonly cut: AbortSignal;
}

/** The work on one shard under way. */
interface Consumption {
  readonly context: MappingContext;
  readonly shardId: ShardId;
  readonly signals: StopSignals;
  readonly lanes: readonly Lane[];
  readonly progress: ShardProgress;
  /** Notified when records are finished, so that reading may go on. */
  readonly drained: Wake;
  bufferedBytes: number;
}

/**
 * Reads one shard from its checkpoint (or from `start`) and delivers it, lane by lane. Resolves to 'finished' when the
 * shard is closed and all its records are finished, having saved that; to 'stopped' when told to stop, once nothing is
 * under way. Errors of the stream and of the function are waited out, not thrown.
 */
export async function consumeShard(
  context: MappingContext,
  shardId: ShardId,
  start: ShardStart,
  signals: StopSignals,
): Promise<'finished' | 'stopped'> {
  const { settings, clock } = context;
  const consumption: Consumption = {
    context,
    shardId,
    signals,
    lanes: Array.from({ length: settings.parallelizationFactor }, () => lane(settings, clock)),
    progress: shardProgress(),
    drained: wake(clock),
    bufferedBytes: 0,
  };
  const delivering = Promise.all(consumption.lanes.map((_, index) => deliverLane(consumption, index)));
  const drained = await readShard(consumption, start).finally(() => {
    for (const each of consumption.lanes) each.end();
  });
  const complete = (await delivering).every((done) => done);
  if (!drained || !complete) return 'stopped';
  context.checkpoints.save(shardId, { kind: 'finished' });
  return 'finished';
}

/** Reads ahead of the lanes. Resolves to true at the end of the shard, to false when stopped. */
async function readShard(consumption: Consumption, start: ShardStart): Promise<boolean> {
  const { context, shardId, signals } = consumption;
  const write = eventRecordWriter(context.origin, shardId);
  let position = start;
  let iterator: string | undefined;
  let failures = 0;
  while (!signals.stop.aborted) {
    if (isFull(consumption)) {
      await consumption.drained.wait(signals.stop);
      continue;
    }
    const outcome = await tryRead(consumption, iterator, position);
    if (outcome.kind === 'gone') return true;
    if (outcome.kind === 'iterator-expired') {
      iterator = undefined;
      continue;
    }
    if (outcome.kind !== 'records') {
      iterator = outcome.kind === 'failed' ? undefined : outcome.iterator;
      await wait(consumption, fullJitterMs(failures, READ_BACKOFF, context.random));
      failures += 1;
      continue;
    }
    failures = 0;
    const last = outcome.records.at(-1);
    if (last) position = { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: last.sequenceNumber };
    enqueue(consumption, outcome.records.map(write));
    const { records, millisBehindLatest } = outcome;
    context.observe(shardId, { kind: 'read', records: records.length, millisBehindLatest });
    if (outcome.nextIterator === undefined) return true;
    iterator = outcome.nextIterator;
    if (millisBehindLatest === 0) await wait(consumption, IDLE_POLL_MS);
  }
  return false;
}

type TryOutcome =
  | Exclude<ReadOutcome, { kind: 'throttled' }>
  | { readonly kind: 'throttled'; readonly iterator: string | undefined }
  | { readonly kind: 'failed' }
  | { readonly kind: 'gone' };

/** One read within the budget of the shard, with an iterator made first where there is none. */
async function tryRead(
  consumption: Consumption,
  known: string | undefined,
  position: ShardStart,
): Promise<TryOutcome> {
  const { context, shardId } = consumption;
  try {
    const iterator = known ?? (await context.reader.iterator(shardId, position));
    if (iterator === undefined) return { kind: 'gone' };
    await wait(consumption, context.readBudget.reserve(context.streamName, shardId, context.clock.now()));
    if (consumption.signals.stop.aborted) return { kind: 'throttled', iterator };
    const outcome = await context.reader.read(iterator);
    if (outcome.kind !== 'throttled') return outcome;
    context.observe(shardId, { kind: 'read-throttled' });
    return { kind: 'throttled', iterator };
  } catch (error) {
    context.observe(shardId, { kind: 'read-failed' });
    context.logger.warn({ error, shardId, mappingId: context.mappingId }, 'shard cannot be read');
    return { kind: 'failed' };
  }
}

/** Deals records to their lanes: those of one partition key always share one. What the filter leaves out is finished. */
function enqueue(consumption: Consumption, read: readonly EventRecord[]): void {
  const { context, shardId, lanes, progress } = consumption;
  progress.add(read.map(({ record }) => record.sequenceNumber));
  for (const { jsonBytes } of read) consumption.bufferedBytes += jsonBytes;
  const { filter } = context;
  const records = filter === undefined ? read : read.filter(({ record }) => filter(record));
  if (records.length < read.length) {
    const delivered = new Set(records);
    finish(
      consumption,
      read.filter((record) => !delivered.has(record)),
    );
    context.observe(shardId, { kind: 'filtered', records: read.length - records.length });
  }
  const [only] = lanes;
  if (lanes.length === 1 && only) {
    only.push(records);
    return;
  }
  const dealt = Map.groupBy(records, ({ record }) => laneIndex(record, lanes.length));
  for (const [index, ofLane] of dealt) lanes[index]?.push(ofLane);
}

function laneIndex({ partitionKey }: SourceRecord, laneCount: number): number {
  return Number(hashKey(partitionKey) % BigInt(laneCount));
}

function isFull({ context, progress, bufferedBytes }: Consumption): boolean {
  const { batchSize, parallelizationFactor } = context.settings;
  const batches = READ_AHEAD_BATCHES * parallelizationFactor;
  return (
    progress.unfinishedCount() >= batches * batchSize ||
    bufferedBytes >= batches * INVOCATION_PAYLOAD_BYTES_MAX
  );
}

/** Delivers batches of one lane until it ends. Resolves to false when stopped before that. */
async function deliverLane(consumption: Consumption, index: number): Promise<boolean> {
  const { context, shardId, signals, lanes } = consumption;
  const affinity = `${context.mappingId}/${shardId}/${index}`;
  for (;;) {
    const batch = await lanes[index]?.nextBatch(signals.stop);
    if (batch === undefined) return !signals.stop.aborted;
    const done = await deliverBatch(batch, {
      rules: context.settings,
      clock: context.clock,
      random: context.random,
      stop: signals.stop,
      invoke: (payload) =>
        context.invoker.invoke(context.functionName, payload, { affinity, signal: signals.cut }),
      finished: (records) => finish(consumption, records),
      discard: (discarded) => discard(consumption, { ...discarded, shardId }),
      observe: (event) => context.observe(shardId, event),
    });
    if (!done) return false;
  }
}

function finish(consumption: Consumption, records: readonly EventRecord[]): void {
  const { context, shardId, progress, drained } = consumption;
  const checkpoint = progress.finish(records.map(({ record }) => record.sequenceNumber));
  if (checkpoint !== undefined) {
    context.checkpoints.save(shardId, { kind: 'at', sequenceNumber: checkpoint });
  }
  for (const { jsonBytes } of records) consumption.bufferedBytes -= jsonBytes;
  drained.notify();
}

/** Tries until the destination has the records: what is given up must not get lost as well. */
async function discard(
  consumption: Consumption,
  batch: Parameters<FailureDestination['keep']>[0],
): Promise<boolean> {
  const { context, shardId, signals } = consumption;
  const { condition, invokeCount, records } = batch;
  const about = { shardId, mappingId: context.mappingId, condition, invokeCount, records: records.length };
  if (context.failureDestination === undefined) {
    context.logger.error(about, 'records dropped: the mapping names no failure destination');
    return true;
  }
  for (let attempt = 0; !signals.stop.aborted; attempt += 1) {
    try {
      await context.failureDestination.keep(batch);
      context.logger.warn(about, 'batch given up and kept at the failure destination');
      return true;
    } catch (error) {
      context.observe(shardId, { kind: 'discard-failed' });
      context.logger.error({ ...about, error }, 'failure destination does not take a batch');
      await wait(consumption, fullJitterMs(attempt, DISCARD_BACKOFF, context.random));
    }
  }
  return false;
}

async function wait({ context, signals }: Consumption, ms: number): Promise<void> {
  if (ms <= 0) return;
  await context.clock.sleep(ms, signals.stop).catch((error: unknown) => {
    if (!signals.stop.aborted) throw error;
  });
}
