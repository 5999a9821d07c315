import type { OutcomeCounts } from '@twinstream/device-model';
import type { ShardId } from '@twinstream/stream-model';

/** What became of the entries of one shard. */
export interface ShardLedger {
  /** Entries of the window, of any device. */
  read: number;
  bytes: number;
  /** Of devices that were not asked for. */
  skipped: number;
  applied: number;
  late: number;
  duplicate: number;
  /** Stored already. After a kill, what lies behind the last checkpoint counts here. */
  redelivered: number;
  /** No events: in quarantine since they came. */
  quarantined: number;
  failed: number;
}

/** By shard. A replay from the event store has one entry, `event-store`. */
export type ReplayLedger = Record<string, ShardLedger>;

export function noLedger(): ShardLedger {
  return {
    read: 0,
    bytes: 0,
    skipped: 0,
    applied: 0,
    late: 0,
    duplicate: 0,
    redelivered: 0,
    quarantined: 0,
    failed: 0,
  };
}

export function shardLedger(ledger: ReplayLedger, shardId: ShardId | 'event-store'): ShardLedger {
  const known = ledger[shardId] ?? noLedger();
  ledger[shardId] = known;
  return known;
}

export function addOutcomes(ledger: ShardLedger, outcomes: OutcomeCounts): void {
  ledger.applied += outcomes.applied;
  ledger.late += outcomes.late;
  ledger.duplicate += outcomes.duplicate;
  ledger.redelivered += outcomes.redelivered;
}

export function addLedger(sum: ShardLedger, more: ShardLedger): void {
  for (const name of Object.keys(sum) as (keyof ShardLedger)[]) sum[name] += more[name];
}

export function totalOf(ledger: ReplayLedger): ShardLedger {
  const total = noLedger();
  for (const shard of Object.values(ledger)) addLedger(total, shard);
  return total;
}
