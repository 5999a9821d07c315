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
 * the table, and by hints, where these join what is held without a gap.
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

interface ShardCoverage {
  covered?: SequenceNumber;
  /** Hints are complete behind this. */
  hintsFrom?: SequenceNumber;
  /** Hints are complete up to this, where they do not reach the tip. */
  hintsThrough?: SequenceNumber;
  /** Hints have been added since they were taken last: only then do they reach as far as a progress read before. */
  isHeard?: boolean;
  pending: PendingRecord[];
}

interface PendingRecord extends HintedRecord {
  readonly seenTime: number;
}

/** Records of one shard whose hints wait for the projector. Beyond it the oldest are dropped, and a whole reading makes up for them. */
const PENDING_MAX = 100_000;
/** A projector that is well finishes a record sooner. */
const WAIT_MS_MAX = 15_000;

export function createCoverage(pendingMax = PENDING_MAX): Coverage {
  const shards = new Map<ShardId, ShardCoverage>();
  const vector = new Map<ShardId, SequenceNumber>();

  function shardOf(shardId: ShardId): ShardCoverage {
    const shard = shards.get(shardId) ?? { pending: [] };
    shards.set(shardId, shard);
    return shard;
  }

  function cover(shardId: ShardId, through: SequenceNumber): void {
    const shard = shardOf(shardId);
    shard.covered = later(shard.covered, through);
    vector.set(shardId, shard.covered);
  }

  return {
    vector,
    noteReading: (progress) => {
      for (const [shardId, finished] of progress) cover(shardId, finished);
    },
    addHints: ({ shardId, from, records, atTip }, timeMs) => {
      const shard = shardOf(shardId);
      shard.isHeard = true;
      shard.hintsFrom = later(shard.hintsFrom, from);
      for (const record of records) shard.pending.push({ ...record, seenTime: timeMs });
      if (atTip) delete shard.hintsThrough;
      else shard.hintsThrough = records.at(-1)?.sequenceNumber ?? shard.hintsThrough ?? from;
      const dropped = shard.pending.splice(0, Math.max(0, shard.pending.length - pendingMax)).at(-1);
      if (dropped !== undefined) shard.hintsFrom = later(shard.hintsFrom, dropped.sequenceNumber);
    },
    take: (progress) => {
      const deviceIds = new Set<DeviceId>();
      const settled: [ShardId, SequenceNumber][] = [];
      for (const [shardId, finished] of progress) {
        const shard = shardOf(shardId);
        for (const record of takeThrough(shard.pending, finished)) {
          for (const deviceId of record.deviceIds) deviceIds.add(deviceId);
        }
        const { covered, hintsFrom, hintsThrough, isHeard } = shard;
        shard.isHeard = false;
        if (isHeard !== true) continue;
        if (hintsFrom !== undefined && compareSequenceNumbers(covered ?? BEGINNING, hintsFrom) >= 0)
          settled.push([shardId, earlier(finished, hintsThrough)]);
      }
      return {
        deviceIds,
        settle: () => {
          for (const [shardId, through] of settled) cover(shardId, through);
        },
      };
    },
    holds: (progress, timeMs) => {
      for (const { pending } of shards.values()) {
        if (pending[0] !== undefined && timeMs - pending[0].seenTime > WAIT_MS_MAX) return false;
      }
      for (const [shardId, finished] of progress) {
        const covered = shards.get(shardId)?.covered;
        if (covered === undefined || compareSequenceNumbers(covered, finished) < 0) return false;
      }
      return true;
    },
  };
}

function takeThrough(pending: PendingRecord[], finished: SequenceNumber): HintedRecord[] {
  let count = 0;
  for (const { sequenceNumber } of pending) {
    if (compareSequenceNumbers(sequenceNumber, finished) > 0) break;
    count += 1;
  }
  return pending.splice(0, count);
}

function later(a: SequenceNumber | undefined, b: SequenceNumber): SequenceNumber {
  return a === undefined || compareSequenceNumbers(a, b) < 0 ? b : a;
}

function earlier(a: SequenceNumber, b: SequenceNumber | undefined): SequenceNumber {
  return b === undefined || compareSequenceNumbers(a, b) < 0 ? a : b;
}
