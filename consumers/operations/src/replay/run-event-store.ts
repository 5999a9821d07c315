import { type DeviceId, type DeviceState, foldPage, newDevice } from '@twinstream/device-model';
import { type EventStore, makeSnapshot, nextPageKey } from '@twinstream/event-store';
import { PAGE_WRITING, type PageWriting } from '@twinstream/pipeline-settings';
import { type Clock, CodedError } from '@twinstream/runtime';
import { canonicalText } from '@twinstream/verification';
import { allDevices } from '../devices.ts';
import { eventLine } from '../history/event-line.ts';
import type { Stores } from '../services.ts';
import type { Checkpointing } from './checkpointing.ts';
import type { Pace } from './pace.ts';
import { restoreState } from './repair/restore-state.ts';
import {
  addCounts,
  countsOfShard,
  noCounts,
  noteFailure,
  type ReplayJob,
  type ShardCounts,
} from './replay-job.ts';
import { effectOf } from './replay-spec.ts';
import { retryTransient } from './targets.ts';

export interface RunEventStoreOptions {
  readonly job: ReplayJob;
  /** The tables in use. */
  readonly stores: Stores;
  /** Where copies go, for the target `fresh`. */
  readonly fresh: Stores | undefined;
  readonly write: (text: string) => Promise<void>;
  readonly pace: Pace;
  readonly checkpointing: Checkpointing;
  readonly clock: Clock;
  readonly random?: () => number;
  /** Default: {@link PAGE_WRITING}. */
  readonly pageWriting?: PageWriting;
  readonly signal: AbortSignal;
}

/**
 * Goes through the stored chains, device by device: counts them, prints them, copies them page by page (stamps, order and
 * places as they are) or writes each device's state again from its pages.
 */
export async function runEventStore(options: RunEventStoreOptions): Promise<void> {
  const { job, stores, checkpointing, signal } = options;
  const { devices, parts } = job.spec;
  let isBehind = job.lastDevice !== undefined;
  for await (const deviceId of devices ?? allDevices(stores, signal)) {
    signal.throwIfAborted();
    if (isBehind) {
      // The scan of a table returns the same order again.
      if (deviceId === job.lastDevice) isBehind = false;
      continue;
    }
    let counted = noCounts();
    try {
      await retryTransient(options, signal, () => {
        // Only the try that comes to an end counts: each reads the chain from its first page.
        counted = noCounts();
        return runDevice(options, deviceId, counted);
      });
    } catch (error) {
      if (!(error instanceof CodedError) || error.retryable || error.code === 'DYNAMODB_REFUSED') throw error;
      counted.failed += 1;
      noteFailure(job, deviceId, error);
    }
    addCounts(countsOfShard(job.ledger, 'event-store'), counted);
    job.lastDevice = deviceId;
    await checkpointing.noteStep();
  }
  job.part = parts.length;
}

async function runDevice(
  options: RunEventStoreOptions,
  deviceId: DeviceId,
  counts: ShardCounts,
): Promise<void> {
  const { job, stores, fresh, signal, pageWriting = PAGE_WRITING } = options;
  const limits = pageWriting.pageLimits.receipts;
  const target = effectOf(job.spec);
  if (target === 'repair') {
    await countDevice(options, deviceId, counts);
    const found = await restoreState(stores, deviceId, { limits, signal });
    if (found !== 'restored') return;
    job.repair.statesDiffering += 1;
    job.repair.statesRestored += 1;
    return;
  }
  if (target === 'fresh') {
    if (fresh === undefined) throw new TypeError('fresh tables are the target, and not given');
    await copyDevice(options, fresh, newDevice(deviceId), counts);
    return;
  }
  await countDevice(options, deviceId, counts);
}

/** Reads the chain; prints its events of the window where standard output is the target. */
async function countDevice(
  { job, stores, pace, write, signal }: RunEventStoreOptions,
  deviceId: DeviceId,
  counts: ShardCounts,
): Promise<void> {
  const { parts, shards } = job.spec;
  const target = effectOf(job.spec);
  const { fromMs = 0, toMs = Number.POSITIVE_INFINITY } = parts[0] ?? {};
  for await (const page of stores.eventStore.pages(deviceId, { consistent: true, signal })) {
    if (shards !== undefined && !shards.includes(page.shardId)) continue;
    await pace.take(page.events.length, signal);
    const wanted = page.events.filter(({ arrivalTime }) => arrivalTime >= fromMs && arrivalTime < toMs);
    counts.read += wanted.length;
    counts.applied += target === 'repair' ? 0 : wanted.length;
    for (const { text } of wanted) counts.bytes += text.length;
    if (target !== 'stdout' || wanted.length === 0) continue;
    const lines = wanted.map((event) => eventLine({ ...event, shardId: page.shardId, page: page.page }));
    await write(`${lines.join('\n')}\n`);
  }
}

/**
 * Copies the pages after a state's, stamps, order and places as they are, and returns the state after the last of them.
 * Throws `CHAIN_BROKEN` where one is missing, and `COPY_DIFFERS` where another page stands in its place.
 */
export async function copyDevice(
  {
    stores,
    pace,
    signal,
    pageWriting = PAGE_WRITING,
  }: Pick<RunEventStoreOptions, 'stores' | 'pace' | 'signal' | 'pageWriting'>,
  fresh: Stores,
  start: DeviceState,
  counts: ShardCounts,
): Promise<DeviceState> {
  const { deviceId } = start;
  let state = start;
  const range = { from: nextPageKey(start), consistent: true, signal };
  for await (const page of stores.eventStore.pages(deviceId, range)) {
    if (page.page !== state.page + 1) {
      throw new CodedError(
        'CHAIN_BROKEN',
        `page ${state.page + 1} of ${deviceId} is missing: repair it first`,
      );
    }
    await pace.take(page.events.length, signal);
    const result = await fresh.eventStore.appendPage(page, signal);
    if (result.outcome === 'conflict' && canonicalText(result.existing) !== canonicalText(page)) {
      throw new CodedError('COPY_DIFFERS', `page ${page.page} of ${deviceId} is another in the fresh tables`);
    }
    state = foldPage(state, page, pageWriting.pageLimits.receipts);
    counts.read += page.events.length;
    counts[result.outcome === 'appended' ? 'applied' : 'redelivered'] += page.events.length;
    for (const { text } of page.events) counts.bytes += text.length;
    if (state.page % pageWriting.pagesPerSnapshot === 0) await copySnapshot(fresh.eventStore, state, signal);
  }
  if (state.page > start.page) await fresh.latestState.write(state, signal);
  return state;
}

async function copySnapshot(store: EventStore, state: DeviceState, signal: AbortSignal): Promise<void> {
  const snapshot = await makeSnapshot(store, state, { signal });
  if (snapshot !== undefined) await store.putSnapshot(snapshot, signal);
}
