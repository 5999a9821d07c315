import type { UserRecord } from '@twinstream/stream-model';
import { isBlocked, type Lane, prependToLane } from './lane.ts';
import type { LaneBook } from './lane-book.ts';
import type { LaneScheduler } from './lane-scheduler.ts';
import type { PendingRecord } from './pending-record.ts';

/** Moves devices from lanes that retire to those that take over. */
export interface LaneMover<R extends UserRecord> {
  /** Puts records back before all that was put later, in the lanes that have their devices now. */
  handBack(records: readonly PendingRecord<R>[], nowMs: number): void;
  /** The lane has nothing in flight any more: it is scheduled again or, when it is retired, unblocks its successors. */
  leave(lane: Lane<R>, nowMs: number): void;
}

export function createLaneMover<R extends UserRecord>(
  book: LaneBook<R>,
  scheduler: LaneScheduler<R>,
): LaneMover<R> {
  return {
    handBack(records, nowMs) {
      const groups = new Map<Lane<R>, PendingRecord<R>[]>();
      for (const pending of records) {
        const lane = book.laneFor(pending.record);
        const group = groups.get(lane);
        if (group === undefined) groups.set(lane, [pending]);
        else group.push(pending);
      }
      for (const [lane, group] of groups) {
        prependToLane(lane, group);
        if (lane.state === 'idle') scheduler.schedule(lane, nowMs);
      }
    },
    leave(lane, nowMs) {
      lane.sentCount = 0;
      lane.held = undefined;
      if (!lane.isRetired) {
        scheduler.schedule(lane, nowMs);
        return;
      }
      book.drop(lane);
      for (const successor of lane.dependents ?? []) {
        successor.blockers?.delete(lane);
        if (!isBlocked(successor)) scheduler.schedule(successor, nowMs);
      }
      lane.dependents = undefined;
    },
  };
}
