import { type Account, commitmentStatus } from './account.ts';
import { membersAnswer, operation } from './operation.ts';
import { oneOf, optional, required, structure } from './request-shape.ts';
import { SHARDS_MAX } from './stream-operations.ts';
import { type Members, Timestamp } from './wire-format.ts';

/** Quotas, "on-demand streams per account" (read 2026-12). None is enforced here but that of one stream's shards. */
const ON_DEMAND_STREAMS_MAX = 50;
/** UpdateAccountSettings: the commitment lasts 24 hours at least (developer guide, On-demand Advantage, read 2026-12). */
const COMMITMENT_MS_MIN = 24 * 3_600_000;

export const describeLimits = operation(structure({}), ({ store }) => {
  const streams = store.all();
  return membersAnswer({
    ShardLimit: SHARDS_MAX,
    OpenShardCount: streams
      .filter(({ mode }) => mode === 'PROVISIONED')
      .reduce((sum, { open }) => sum + open.length, 0),
    OnDemandStreamCount: streams.filter(({ mode }) => mode === 'ON_DEMAND').length,
    OnDemandStreamCountLimit: ON_DEMAND_STREAMS_MAX,
  });
});

export const describeAccountSettings = operation(structure({}), ({ account, clock }) =>
  membersAnswer({ MinimumThroughputBillingCommitment: commitmentMembers(account, clock.now()) }),
);

export const updateAccountSettings = operation(
  structure({
    MinimumThroughputBillingCommitment: optional(
      structure({ Status: required(oneOf(['ENABLED', 'DISABLED']), 'DISABLED') }),
    ),
  }),
  ({ account, clock }, { MinimumThroughputBillingCommitment: wanted }) => {
    const nowMs = clock.now();
    const { commitment } = account;
    if (wanted?.Status === 'ENABLED') {
      const runs = commitmentStatus(commitment, nowMs) === 'ENABLED';
      if (!runs) account.commitment = { startedMs: nowMs, earliestEndMs: nowMs + COMMITMENT_MS_MIN };
    } else if (wanted !== undefined && commitment !== undefined) {
      const endedMs = Math.max(nowMs, commitment.earliestEndMs);
      account.commitment = { ...commitment, endedMs };
    }
    return membersAnswer({ MinimumThroughputBillingCommitment: commitmentMembers(account, nowMs) });
  },
);

function commitmentMembers({ commitment }: Account, nowMs: number): Members {
  const { startedMs, earliestEndMs, endedMs } = commitment ?? {};
  return {
    Status: commitmentStatus(commitment, nowMs),
    StartedAt: time(startedMs),
    EndedAt: time(endedMs),
    EarliestAllowedEndAt: time(earliestEndMs),
  };
}

function time(ms: number | undefined): Timestamp | undefined {
  return ms === undefined ? undefined : new Timestamp(ms);
}
