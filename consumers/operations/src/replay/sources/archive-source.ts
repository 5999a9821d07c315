import { externalSort, type SortableLine } from '@twinstream/runtime';
import {
  comparePositions,
  compareWithinShard,
  type Position,
  readArchiveHead,
  readArchiveLine,
  type ShardId,
  type ShardPosition,
} from '@twinstream/stream-model';
import { type ArchiveObjects, archivedLines, type OnForeign } from '@twinstream/verification';
import { isAfter, type ReplayEntry } from '../replay-entry.ts';
import { ARRIVAL_SLACK_MS, type ReplaySource, ShardWindow, type SourceQuery } from './replay-source.ts';

export interface ArchiveSourceOptions {
  readonly objects: ArchiveObjects;
  /** Told of what is foreign, which is then passed over; or throws. Default: throws. All is read before the first batch. */
  readonly onForeign?: OnForeign;
  /** See {@link externalSort}. */
  readonly runCharactersMax?: number;
}

/** Entries of one batch. */
const BATCH_ENTRIES = 2_000;

/**
 * The archive. Its folders are not position order: the window is ordered by shard and position with bounded
 * memory, and what was delivered twice is dropped. Shards come one after the other by their ids, which rise with
 * time (API reference, Shard, and every split or merge), so that parents come before children.
 */
export function archiveSource({ objects, onForeign, runCharactersMax }: ArchiveSourceOptions): ReplaySource {
  return {
    read: async (query, take) => {
      const sorted = externalSort(windowLines(objects, onForeign, query), {
        compare: comparePositions,
        keyOf: positionOf,
        signal: query.signal,
        ...(runCharactersMax === undefined ? {} : { runCharactersMax }),
      });
      let entries: ReplayEntry[] = [];
      let current: ShardId | undefined;
      let window = new ShardWindow(query, false);
      const flush = async (isLast: boolean) => {
        if (current === undefined || entries.length === 0) return;
        const last = entries.at(-1);
        const through = last && {
          sequenceNumber: last.sequenceNumber,
          subSequenceNumber: last.subSequenceNumber,
        };
        const batch = { shardId: current, entries, through, isLast };
        entries = [];
        await take(batch);
      };
      for await (const { key, line } of sorted) {
        if (key.shardId !== current) {
          await flush(true);
          current = key.shardId;
          window = new ShardWindow(query, query.checkpoints[current]?.through !== undefined);
        } else if (entries.length >= BATCH_ENTRIES) await flush(false);
        const entry = readEntry(line);
        if (window.next(entry) === 'in') entries.push(entry);
      }
      await flush(true);
    },
    check: async (query) => {
      for await (const _ of windowLines(objects, onForeign, query)) query.signal.throwIfAborted();
    },
  };
}

async function* windowLines(
  objects: ArchiveObjects,
  onForeign: OnForeign | undefined,
  query: SourceQuery,
): AsyncGenerator<SortableLine<Position>> {
  const { fromMs, toMs, shards, signal } = query;
  const bounds = new Map<ShardId, ShardPosition | undefined>();
  // What arrived a little before or after may stand between records of the window.
  const near = { fromMs: Math.max(0, fromMs - ARRIVAL_SLACK_MS), toMs: toMs + ARRIVAL_SLACK_MS };
  const window = { ...near, signal, ...(onForeign === undefined ? {} : { onForeign }) };
  for await (const { entry, text } of archivedLines(objects, window)) {
    const { shardId, sequenceNumber, subSequenceNumber, arrivalTime } = entry;
    if (arrivalTime < near.fromMs || arrivalTime >= near.toMs) continue;
    if (shards !== undefined && !shards.includes(shardId)) continue;
    const checkpoint = query.checkpoints[shardId];
    if (checkpoint?.isDone === true || !isAfter(entry, checkpoint?.through)) continue;
    if (query.bound !== undefined) {
      if (!bounds.has(shardId)) bounds.set(shardId, query.bound(shardId));
      const bound = bounds.get(shardId);
      if (bound === undefined || compareWithinShard(entry, bound) > 0) continue;
    }
    yield { key: { shardId, sequenceNumber, subSequenceNumber }, line: text };
  }
}

function positionOf(line: string): Position {
  const head = readArchiveHead(line);
  if (head === undefined) throw new TypeError('a sorted line has lost its head');
  return head;
}

/** What the archive could not hold is too large to be an event, and as many bytes say so. */
const TOO_LARGE = Buffer.from('"larger than a line of the archive"');

function readEntry(line: string): ReplayEntry {
  const entry = readArchiveLine(line);
  const { shardId, sequenceNumber, subSequenceNumber, arrivalTime, partitionKey } = entry;
  const data = entry.form === 'tooLarge' ? TOO_LARGE : entry.data;
  return { shardId, sequenceNumber, subSequenceNumber, arrivalTime, partitionKey, data };
}
