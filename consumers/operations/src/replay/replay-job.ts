import type { OutcomeCounts } from '@twinstream/device-model';
import { isJobAlive, mayExist } from '@twinstream/pipeline-status';
import type { ShardId, ShardPosition } from '@twinstream/stream-model';
import type { TableNames } from '@twinstream/table-generation';
import type { ForeignTally } from '@twinstream/verification';
import type { ReplaySpec } from './replay-spec.ts';

/** Outcomes of the entries of one shard. */
export interface ShardCounts {
  /** Entries of the window, of any device. */
  read: number;
  bytes: number;
  /** Of devices that were not asked for, and what the mapping ignores. */
  skipped: number;
  applied: number;
  late: number;
  duplicate: number;
  /** Stored already. After a kill, what lies after the last checkpoint counts here. */
  redelivered: number;
  /** No events: in quarantine since they came. */
  quarantined: number;
  failed: number;
}

/** By shard. A replay from the event store has one entry, `event-store`. */
export type ReplayCounts = Record<string, ShardCounts>;

export function noCounts(): ShardCounts {
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

export function countsOfShard(counts: ReplayCounts, shardId: ShardId | 'event-store'): ShardCounts {
  const known = counts[shardId] ?? noCounts();
  counts[shardId] = known;
  return known;
}

export function addOutcomes(counts: ShardCounts, outcomes: OutcomeCounts): void {
  counts.applied += outcomes.applied;
  counts.late += outcomes.late;
  counts.duplicate += outcomes.duplicate;
  counts.redelivered += outcomes.redelivered;
}

export function addCounts(sum: ShardCounts, more: ShardCounts): void {
  for (const name of Object.keys(sum) as (keyof ShardCounts)[]) sum[name] += more[name];
}

export function totalOf(counts: ReplayCounts): ShardCounts {
  const total = noCounts();
  for (const shard of Object.values(counts)) addCounts(total, shard);
  return total;
}

export type ReplayStatus = 'running' | 'stopped' | 'failed' | 'cancelled' | 'completed';

/** How far one shard has come. */
export interface ShardCheckpoint {
  /** Everything at or below it is done. */
  readonly through?: ShardPosition;
  /** True where the shard has no more. */
  readonly isDone?: boolean;
}

/** The steps of a replay. Dry runs, fresh tables and standard output take `apply` alone. */
const REPLAY_PASSES = ['survey', 'restore', 'states', 'apply', 'rebuild', 'done'] as const;
export type ReplayPass = (typeof REPLAY_PASSES)[number];

/** Something that could not be done. */
export interface ReplayFailure {
  readonly subject: string;
  readonly detail: string;
  readonly pass?: ReplayPass;
}

/** Failures that a job names; the rest is counted. */
const FAILURES_NAMED_MAX = 100;

/** What a repair found and corrected besides appending. */
export interface RepairCounts {
  pagesMissing: number;
  pagesRestored: number;
  statesDiffering: number;
  statesRestored: number;
  /** True when there are devices of which nothing at all is stored. */
  hasLostDevices: boolean;
}

/** Who is at work on a job. */
export interface Runner {
  /** Drawn for each run: the job belongs to the runner that wrote it last. */
  readonly token: string;
  readonly host: string;
  readonly pid: number;
}

/** That a job has stopped the live projector. It is written before, so that a kill leaves word of it. */
export interface ProjectorPause {
  readonly purpose: 'repair' | 'promotion';
  /** Milliseconds since 1970. */
  readonly since: number;
  /** The process that starts the projector again. */
  readonly host: string;
  readonly pid: number;
}

/** All that is known of a replay; enough for another machine to go on with it. */
export interface ReplayJob {
  readonly id: string;
  readonly spec: ReplaySpec;
  readonly createdTime: number;
  status: ReplayStatus;
  pass: ReplayPass;
  /** Index into the parts of the spec. */
  part: number;
  /** Of this pass and part, by shard. */
  checkpoints: Record<string, ShardCheckpoint>;
  /**
   * Of a job whose last part is the stream: up to where everything of each shard was read when that part ended. What lies
   * after it is what a promotion reads.
   */
  readThrough?: Record<string, ShardPosition>;
  /** The device that was done last, where the event store is the source. */
  lastDevice?: string;
  /** Outcomes of the entries. */
  ledger: ReplayCounts;
  /** What was counted before the pass `rebuild`, while that is under way. */
  ledgerBeforeRebuild?: ReplayCounts;
  repair: RepairCounts;
  failures: ReplayFailure[];
  failureCount: number;
  /** What was foreign in the archive when it was read last, and passed over. */
  foreign?: ForeignTally;
  /** Time at work over all runs, in milliseconds. */
  workedMs: number;
  updatedTime: number;
  runner?: Runner;
  /** Set while the live projector is paused for it. */
  pause?: ProjectorPause;
  /** How often its runners have written it: what lands late does not undo what was written since. */
  saves?: number;
  /** The tables whose place those of this job take: known from the moment a promotion is about to switch. */
  replaces?: TableNames;
  /** Set when the tables of this job were put into use. */
  promotedTime?: number;
}

export function newJob(id: string, spec: ReplaySpec, createdTime: number): ReplayJob {
  return {
    id,
    spec,
    createdTime,
    status: 'running',
    pass: spec.target === 'repair' ? 'survey' : 'apply',
    part: 0,
    checkpoints: {},
    ledger: {},
    repair: {
      pagesMissing: 0,
      pagesRestored: 0,
      statesDiffering: 0,
      statesRestored: 0,
      hasLostDevices: false,
    },
    failures: [],
    failureCount: 0,
    workedMs: 0,
    updatedTime: createdTime,
  };
}

export function noteFailure(job: ReplayJob, subject: string, error: unknown): void {
  job.failureCount += 1;
  if (job.failures.length >= FAILURES_NAMED_MAX) return;
  const detail = error instanceof Error ? error.message : String(error);
  job.failures.push({ subject, detail, pass: job.pass });
}

/** Subject of the failure that ended a run. */
export const RUN = 'replay';
/** Passes that a resume does from their beginning. */
const REPEATED_PASSES: ReadonlySet<ReplayPass | undefined> = new Set(['survey', 'restore', 'states']);

/**
 * Makes a job ready to go on: what ended the run before is forgotten, and so are failures of a pass that is done again.
 * Those of a pass that is over stay, because what failed there is not tried again.
 */
export function forgetFailures(job: ReplayJob): void {
  const isDoneAgain = ({ subject, pass }: ReplayFailure) =>
    subject === RUN || (pass === job.pass && REPEATED_PASSES.has(pass));
  const kept = job.failures.filter((failure) => !isDoneAgain(failure));
  job.failureCount -= job.failures.length - kept.length;
  job.failures = kept;
}

/** A promotion writes nothing while it waits for the mapping, 20 minutes at most, and for invocations, 15 at most. */
const PROMOTION_MS_MAX = 40 * 60_000;

/** A job's status as it shows: `stalled` where it is said to run and nobody is at work on it. */
export function shownStatus(job: ReplayJob, nowMs: number): ReplayStatus | 'stalled' {
  return job.status === 'running' && !isJobAlive(job, nowMs) ? 'stalled' : job.status;
}

/** True while somebody seems to be there who starts the projector again that this job has stopped. */
export function isPauseHeld(job: ReplayJob, nowMs: number): boolean {
  const { pause } = job;
  if (pause === undefined) return false;
  if (pause.purpose === 'repair') return isJobAlive(job, nowMs);
  return nowMs - pause.since < PROMOTION_MS_MAX && mayExist(pause);
}
