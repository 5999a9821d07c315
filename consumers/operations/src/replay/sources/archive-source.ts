import { CodedError } from '@twinstream/runtime';
import {
  compareWithinShard,
  isSequenceNumber,
  isShardId,
  type Position,
  readArchiveLine,
  type ShardId,
  type ShardPosition,
} from '@twinstream/stream-model';
import { isAfter, type ReplayEntry } from '../replay-entry.ts';
import type { ArchiveObjects } from './archive-objects.ts';
import { externalSort, type SortableLine } from './external-sort.ts';
import type { ReplaySource, SourceQuery } from './replay-source.ts';

export interface ArchiveSourceOptions {
  readonly objects: ArchiveObjects;
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
export function archiveSource({ objects, runCharactersMax }: ArchiveSourceOptions): ReplaySource {
  return {
    read: async (query, take) => {
      const sorted = externalSort(windowLines(objects, query), {
        compare: comparePositions,
        keyOf: positionOf,
        signal: query.signal,
        ...(runCharactersMax === undefined ? {} : { runCharactersMax }),
      });
      let entries: ReplayEntry[] = [];
      let current: ShardId | undefined;
      const flush = async (isLast: boolean) => {
        if (current === undefined) return;
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
        } else if (entries.length >= BATCH_ENTRIES) await flush(false);
        entries.push(readEntry(line));
      }
      await flush(true);
    },
  };
}

async function* windowLines(
  objects: ArchiveObjects,
  query: SourceQuery,
): AsyncGenerator<SortableLine<Position>> {
  const { signal, shards } = query;
  const bounds = new Map<ShardId, ShardPosition | undefined>();
  for await (const { key: object } of objects.list(query)) {
    for await (const line of objects.lines(object, signal)) {
      const head = headOf(line, object);
      if (head.arrivalTime < query.fromMs || head.arrivalTime >= query.toMs) continue;
      const { shardId } = head.position;
      if (shards !== undefined && !shards.includes(shardId)) continue;
      const checkpoint = query.checkpoints[shardId];
      if (checkpoint?.isDone === true || !isAfter(head.position, checkpoint?.through)) continue;
      if (query.bound !== undefined) {
        if (!bounds.has(shardId)) bounds.set(shardId, query.bound(shardId));
        const bound = bounds.get(shardId);
        if (bound === undefined || compareWithinShard(head.position, bound) > 0) continue;
      }
      yield { key: head.position, line };
    }
  }
}

export function comparePositions(a: Position, b: Position): number {
  if (a.shardId !== b.shardId) return a.shardId < b.shardId ? -1 : 1;
  return compareWithinShard(a, b);
}

// The head as archiveLines writes it; no text before the arrival time holds a character that JSON would escape.
const HEAD =
  /^\{"shardId":"([^"]+)","sequenceNumber":"(\d+)","subSequenceNumber":(\d+),"arrivalTime":"([^"]+)"/;

function headOf(line: string, object: string): { readonly position: Position; readonly arrivalTime: number } {
  const parts = HEAD.exec(line);
  const [, shardId = '', sequenceNumber = '', sub, time = ''] = parts ?? [];
  if (!isShardId(shardId) || !isSequenceNumber(sequenceNumber)) {
    throw new CodedError('ARCHIVE_LINE_INVALID', `${object} holds a line that is none of the archive`);
  }
  const position = { shardId, sequenceNumber, subSequenceNumber: Number(sub) };
  return { position, arrivalTime: Date.parse(time) };
}

function positionOf(line: string): Position {
  return headOf(line, 'a sorted run').position;
}

/** What the archive could not hold is too large to be an event, and as many bytes say so. */
const TOO_LARGE = Buffer.from('"larger than a line of the archive"');

function readEntry(line: string): ReplayEntry {
  const entry = readArchiveLine(line);
  const { shardId, sequenceNumber, subSequenceNumber, arrivalTime, partitionKey } = entry;
  const data = entry.form === 'tooLarge' ? TOO_LARGE : entry.data;
  return { shardId, sequenceNumber, subSequenceNumber, arrivalTime, partitionKey, data };
}
