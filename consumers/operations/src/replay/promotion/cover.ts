import type { CounterRange, DeviceState, Receipts } from '@twinstream/device-model';
import { compareWithinShard, type ShardId, type ShardPosition } from '@twinstream/stream-model';

/** What tables must hold of a device before they may take the place of others. */
export interface Requirement {
  /** Events stored, at least. */
  readonly events: number;
  /** Positions that the high-water marks must have reached, with their arrivals in milliseconds since 1970. */
  readonly marks: ReadonlyMap<ShardId, ShardPosition & { readonly arrivalTime: number }>;
  /** What must have been received; absent where that is not known, or not wanted. */
  readonly receipts?: Readonly<Receipts>;
}

/**
 * What the tables in use say of a device. Of tables that hold nothing from before `heldFromMs` (0: that hold everything)
 * older marks and receipts are not wanted; their count is still that of all events, which may be more than is wanted.
 */
export function requirementOf({ counts, marks, receipts }: DeviceState, heldFromMs: number): Requirement {
  const { events } = counts;
  if (heldFromMs === 0) return { events, marks, receipts };
  const wanted = [...marks].filter(([, { arrivalTime }]) => arrivalTime >= heldFromMs);
  return { events, marks: new Map(wanted) };
}

/** The first thing that a state lacks of what is required, in words; undefined where it covers all of it. */
export function lackOf(held: DeviceState, { events, marks, receipts }: Requirement): string | undefined {
  if (held.counts.events < events) return `${held.counts.events} of ${events} events`;
  for (const [shardId, wanted] of marks) {
    const mark = held.marks.get(shardId);
    const isReached =
      mark === undefined
        ? held.marksFloor !== undefined && held.marksFloor >= wanted.arrivalTime
        : compareWithinShard(mark, wanted) >= 0;
    if (!isReached) return `the high-water mark of ${shardId} is not ${wanted.sequenceNumber}`;
  }
  return receipts && receiptLacking(held.receipts, receipts);
}

/** What the held receipts have forgotten is taken for received: the count of events tells of it. */
function receiptLacking(held: Readonly<Receipts>, wanted: Readonly<Receipts>): string | undefined {
  for (const [session, { ranges }] of wanted.sessions) {
    const known = held.sessions.get(session);
    if (known === undefined) {
      if (held.sessionFloor !== undefined && session <= held.sessionFloor) continue;
      return `session ${session} was not received`;
    }
    for (const range of ranges) {
      const counter = counterLacking(known.ranges, known.floor, range);
      if (counter !== undefined) return `event ${session}.${counter} was not received`;
    }
  }
  if (held.correctionsDropped > 0) return undefined;
  const ids = new Set(held.corrections.map(({ correctionId }) => correctionId));
  const correction = wanted.corrections.find(({ correctionId }) => !ids.has(correctionId));
  return correction && `correction ${correction.correctionId} was not received`;
}

function counterLacking(
  held: readonly CounterRange[],
  floor: number | undefined,
  { first, last }: CounterRange,
): number | undefined {
  const from = floor === undefined ? first : Math.max(first, floor + 1);
  if (from > last) return undefined;
  const around = held.find((range) => range.first <= from && range.last >= from);
  if (around === undefined) return from;
  return around.last >= last ? undefined : around.last + 1;
}
