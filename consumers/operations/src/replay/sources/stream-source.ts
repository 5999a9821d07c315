import { CodedError } from '@twinstream/runtime';
import {
  compareSequenceNumbers,
  GET_RECORDS_CALLS_PER_SECOND,
  GET_RECORDS_RECORDS_MAX,
  SHARD_OUT_BYTES_PER_SECOND,
  type Shard,
  type ShardId,
  type ShardPosition,
  type StreamRecord,
} from '@twinstream/stream-model';
import {
  listShards,
  readShard,
  type ShardRead,
  type StreamAccess,
  shardIterator,
} from '../../shard-reads.ts';
import { endOfRecord, entriesOf, isAfter, type ReplayBatch } from '../replay-entry.ts';
import { type ReplaySource, ShardWindow, type SourceQuery } from './replay-source.ts';

export interface StreamSourceOptions {
  /** True leaves others at least half of each shard's reads and bytes. */
  readonly isPolite: boolean;
}

/** Share of what a shard serves that a polite reader takes: */
const POLITE_SHARE = 0.4;
/** Waits of a reader that is at the tip before the window has ended. */
const TIP_WAIT_MS = 500;

/** The Kinesis stream: all shards concurrently, children after their parents, also those that appear meanwhile. */
export function streamSource(stream: StreamAccess, { isPolite }: StreamSourceOptions): ReplaySource {
  return {
    read: async (query, take) => {
      const readings = new Map<ShardId, Promise<void>>();
      const failed = new AbortController();
      const signal = AbortSignal.any([query.signal, failed.signal]);
      const inner = { ...query, signal };
      const isWanted = (shardId: ShardId) => query.shards === undefined || query.shards.includes(shardId);

      async function startReadings(): Promise<void> {
        const shards = await listShards(stream, signal);
        const ids = new Set(shards.map(({ shardId }) => shardId));
        // Parents first, so that a child finds its parents' readings.
        for (const shard of [...shards].sort((a, b) => (a.shardId < b.shardId ? -1 : 1))) {
          if (readings.has(shard.shardId) || !isWanted(shard.shardId)) continue;
          const parents = parentsOf(shard).filter((parent) => ids.has(parent));
          const before = Promise.all(parents.map((parent) => readings.get(parent)));
          const reading = before.then(() => readToEnd(shard.shardId));
          reading.catch((error: unknown) => failed.abort(error));
          readings.set(shard.shardId, reading);
        }
      }

      async function readToEnd(shardId: ShardId): Promise<void> {
        const isClosed = await readShardWindow(stream, shardId, inner, isPolite, take);
        // A shard that has closed has children, perhaps some that were not there when reading began.
        if (isClosed) await startReadings();
      }

      await startReadings();
      // A reading may start further ones.
      for (let settled = 0; settled < readings.size; ) {
        settled = readings.size;
        const results = await Promise.allSettled(readings.values());
        const failure = results.find((result) => result.status === 'rejected');
        if (failure !== undefined) throw failed.signal.aborted ? failed.signal.reason : failure.reason;
      }
    },
  };
}

function parentsOf({ parentShardId, adjacentParentShardId }: Shard): readonly ShardId[] {
  return [parentShardId, adjacentParentShardId].filter((parent) => parent !== undefined);
}

/** Reads one shard to the end of the window; true where the shard itself has ended. */
async function readShardWindow(
  stream: StreamAccess,
  shardId: ShardId,
  query: SourceQuery,
  isPolite: boolean,
  take: (batch: ReplayBatch) => Promise<void>,
): Promise<boolean> {
  const checkpoint = query.checkpoints[shardId];
  if (checkpoint?.isDone === true) return false;
  const bound = query.bound?.(shardId);
  if (query.bound !== undefined && bound === undefined) return false;
  const window = new Window(query, bound, checkpoint?.through);
  let last = checkpoint?.through;
  let iterator = await openAt(stream, shardId, query, last);
  let earliestNextMs = 0;
  while (iterator !== undefined) {
    await waitUntil(stream, earliestNextMs, query.signal);
    const askedMs = stream.clock.now();
    const read = await readOrReopen(stream, shardId, iterator, query, last);
    iterator = read.next;
    last = lastOf(read.records) ?? last;
    earliestNextMs = askedMs + (isPolite ? politeWaitMs(read) : 0);
    const entries = [...window.admit(shardId, read.records)];
    // What lies up to a bound was processed, and so is in the shard: at its tip there is no more of it.
    // A shard that has ended has no tip: its children are read, which a clock that is ahead would otherwise leave out.
    const isAtTip =
      iterator !== undefined &&
      read.behindMs === 0 &&
      (bound !== undefined || stream.clock.now() >= query.toMs);
    const isLast = window.isOver || iterator === undefined || isAtTip;
    await take({ shardId, entries, through: window.through, isLast: isLast && !window.isOver });
    if (window.isOver || isAtTip) return false;
    if (read.records.length === 0 && read.behindMs === 0) {
      earliestNextMs = Math.max(earliestNextMs, askedMs + TIP_WAIT_MS);
    }
  }
  return true;
}

function lastOf(records: readonly StreamRecord[]): ShardPosition | undefined {
  const record = records.at(-1);
  return record && endOfRecord(record);
}

function openAt(
  stream: StreamAccess,
  shardId: ShardId,
  { fromMs, signal }: SourceQuery,
  last: ShardPosition | undefined,
): Promise<string | undefined> {
  if (last !== undefined) {
    const { sequenceNumber } = last;
    // A checkpoint may lie inside an aggregated record, whose rest is still to come.
    const from = isAfter(endOfRecord(last), last) ? 'at' : 'after';
    return shardIterator(stream, shardId, { from, sequenceNumber }, signal);
  }
  return shardIterator(
    stream,
    shardId,
    fromMs === 0 ? { from: 'beginning' } : { from: 'time', timeMs: fromMs },
    signal,
  );
}

/** An iterator lives five minutes, and a slow replay may take longer over a batch. */
async function readOrReopen(
  stream: StreamAccess,
  shardId: ShardId,
  iterator: string,
  query: SourceQuery,
  last: ShardPosition | undefined,
): Promise<ShardRead> {
  try {
    return await readShard(stream, iterator, GET_RECORDS_RECORDS_MAX, query.signal);
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'ITERATOR_EXPIRED') throw error;
    const again = await openAt(stream, shardId, query, last);
    if (again === undefined) throw error;
    return readShard(stream, again, GET_RECORDS_RECORDS_MAX, query.signal);
  }
}

function politeWaitMs({ records }: ShardRead): number {
  let bytes = 0;
  for (const { data } of records) bytes += data.length;
  const forCalls = 1 / (GET_RECORDS_CALLS_PER_SECOND * POLITE_SHARE);
  const forBytes = bytes / (SHARD_OUT_BYTES_PER_SECOND * POLITE_SHARE);
  return Math.max(forCalls, forBytes) * 1_000;
}

async function waitUntil({ clock }: StreamAccess, timeMs: number, signal: AbortSignal): Promise<void> {
  const waitMs = timeMs - clock.now();
  if (waitMs > 0) await clock.sleep(waitMs, signal);
}

/** What of a shard's records belongs to the query, and how far a checkpoint may say that all is done. */
class Window {
  /** True when nothing more can come. */
  isOver = false;
  through: ShardPosition | undefined;
  readonly #times: ShardWindow;
  readonly #bound: ShardPosition | undefined;

  constructor(query: SourceQuery, bound: ShardPosition | undefined, through: ShardPosition | undefined) {
    this.#times = new ShardWindow(query, through !== undefined);
    this.#bound = bound;
    this.through = through;
  }

  *admit(shardId: ShardId, records: readonly StreamRecord[]) {
    for (const record of records) {
      const isBeyond =
        this.#bound !== undefined &&
        compareSequenceNumbers(record.sequenceNumber, this.#bound.sequenceNumber) > 0;
      const place = this.#times.next(record);
      if (isBeyond || place === 'after') {
        this.isOver = true;
        return;
      }
      if (place === 'in') yield* entriesOf(shardId, record);
      if (isAfter(endOfRecord(record), this.through)) this.through = endOfRecord(record);
    }
  }
}
