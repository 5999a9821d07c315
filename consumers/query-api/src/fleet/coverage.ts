import type { DeviceId } from '@twinstream/device-model';
import {
  compareSequenceNumbers,
  type SequenceNumber,
  type ShardId,
  sequenceNumber,
} from '@twinstream/stream-model';
import type { HintedRecord, ShardHints } from './change-feed.ts';

/** By shard: everything finished at or below. */
export type ShardVector = ReadonlyMap<ShardId, SequenceNumber>;

/** Devices to read, because the projector has finished records that hinted at them. */
export interface DueDevices {
  readonly deviceIds: ReadonlySet<DeviceId>;
  /** To be called once they have been read. */
  settle(): void;
}

/**
 * Keeps account of what the fleet view is known to hold: everything at or below the vector. It grows by whole readings of
 * the table, and by hints. The rule of the hints of a shard, which are complete in (from, through]: once the devices were
 * read that the progress has passed, the vector rises to that progress or to `through`, whichever comes first, provided
 * that `from` is at or below the vector, so that no record lies between.
 */
export interface Coverage {
  readonly vector: ShardVector;
  /** The whole table was read, beginning when the progress was this. */
  noteReading(progress: ShardVector): void;
  /** @param timeMs when they were read, milliseconds since 1970 */
  addHints(hints: ShardHints, timeMs: number): void;
  /** Takes the hints that this progress has passed; it must have been read before the hints of this round were. */
  take(progress: ShardVector): DueDevices;
  /**
   * True when everything that is finished according to this progress is held. False also where a hint has waited for so
   * long that the progress itself is in doubt: it is not written where a mapping works a shard in parallel.
   */
  holds(progress: ShardVector, timeMs: number): boolean;
}

/** Before every record of a shard. */
export const BEGINNING = sequenceNumber('0');

/** Hints of one shard: of every record after `from`, up to `through` or, where that is absent, to the tip. */
interface HeardShard {
  from: SequenceNumber;
  through?: SequenceNumber;
  /** Hints have been added since they were taken last: only then do they reach as far as a progress read before. */
  isFresh: boolean;
  /** Records that the progress has not passed. */
  readonly pending: PendingRecord[];
}

interface PendingRecord extends HintedRecord {
  readonly seenTime: number;
}

/** Records of one shard whose hints wait for the projector. Beyond it the oldest are dropped, and a whole reading makes up for them. */
const PENDING_MAX = 100_000;
/** A projector that is well finishes a record sooner. */
const WAIT_MS_MAX = 15_000;

export function createCoverage(pendingMax = PENDING_MAX): Coverage {
  /** What is held of each shard: nothing is missing at or below it. */
  const vector = new Map<ShardId, SequenceNumber>();
  const heard = new Map<ShardId, HeardShard>();

  function hold(shards: Iterable<readonly [ShardId, SequenceNumber]>): void {
    for (const [shardId, through] of shards) vector.set(shardId, later(vector.get(shardId), through));
  }

  return {
    vector,
    noteReading: hold,
    addHints: (hints, timeMs) => {
      const { shardId, from } = hints;
      const shard = heard.get(shardId) ?? { from, isFresh: true, pending: [] };
      heard.set(shardId, shard);
      hear(shard, hints, timeMs);
      const dropped = shard.pending.splice(0, Math.max(0, shard.pending.length - pendingMax)).at(-1);
      if (dropped !== undefined) shard.from = later(shard.from, dropped.sequenceNumber);
    },
    take: (progress) => {
      const deviceIds = new Set<DeviceId>();
      const reached: [ShardId, SequenceNumber][] = [];
      for (const [shardId, finished] of progress) {
        const shard = heard.get(shardId);
        if (shard === undefined) continue;
        for (const record of takeThrough(shard.pending, finished)) {
          for (const deviceId of record.deviceIds) deviceIds.add(deviceId);
        }
        if (shard.isFresh && isAtLeast(vector.get(shardId) ?? BEGINNING, shard.from)) {
          reached.push([shardId, earlier(finished, shard.through)]);
        }
        shard.isFresh = false;
      }
      return { deviceIds, settle: () => hold(reached) };
    },
    holds: (progress, timeMs) => {
      for (const { pending } of heard.values()) {
        if (pending[0] !== undefined && timeMs - pending[0].seenTime > WAIT_MS_MAX) return false;
      }
      return [...progress].every(([shardId, finished]) => {
        const held = vector.get(shardId);
        return held !== undefined && isAtLeast(held, finished);
      });
    },
  };
}

/** Adds hints to those that wait; a poll that left something out begins the stretch again. */
function hear(shard: HeardShard, { from, records, atTip }: ShardHints, timeMs: number): void {
  shard.isFresh = true;
  shard.from = later(shard.from, from);
  for (const record of records) shard.pending.push({ ...record, seenTime: timeMs });
  if (atTip) delete shard.through;
  else shard.through = records.at(-1)?.sequenceNumber ?? shard.through ?? from;
}

function takeThrough(pending: PendingRecord[], finished: SequenceNumber): HintedRecord[] {
  let count = 0;
  for (const { sequenceNumber } of pending) {
    if (compareSequenceNumbers(sequenceNumber, finished) > 0) break;
    count += 1;
  }
  return pending.splice(0, count);
}

function isAtLeast(a: SequenceNumber, b: SequenceNumber): boolean {
  return compareSequenceNumbers(a, b) >= 0;
}

function later(a: SequenceNumber | undefined, b: SequenceNumber): SequenceNumber {
  return a === undefined || compareSequenceNumbers(a, b) < 0 ? b : a;
}

function earlier(a: SequenceNumber, b: SequenceNumber | undefined): SequenceNumber {
  return b === undefined || compareSequenceNumbers(a, b) < 0 ? a : b;
}
