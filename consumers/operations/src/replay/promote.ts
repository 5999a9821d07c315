import { activateGeneration } from '@twinstream/table-generation';
import type { CommandContext } from '../command/command-context.ts';
import { refusal } from '../command/refusal.ts';
import { existingTables } from './fresh-tables.ts';
import { addLedger, noLedger, totalOf } from './ledger.ts';
import { newJob, type ReplayJob } from './replay-job.ts';
import { GENERATION_WAIT_MS, mappingOf, replayServices } from './replay-services.ts';
import { progressBound, runReplay } from './run-replay.ts';
import { streamFacts } from './stream-facts.ts';

export interface Promotion {
  readonly job: string;
  readonly generation: string;
  readonly previous: string;
  readonly eventsTable: string;
  readonly deviceStateTable: string;
  /** Events that were added between the end of the replay and the switch. */
  readonly caughtUpEvents: number;
  /** How long the live projector stood still. */
  readonly pausedMs: number;
}

const RESUME_MAPPING_MS = 60_000;

/** Throws a refusal unless the job has filled tables that may be put into use. */
export async function checkPromotable({ services, host }: CommandContext, job: ReplayJob): Promise<void> {
  const { spec, status, failureCount, promotedTime } = job;
  if (spec.target !== 'fresh' || spec.tables === undefined) {
    throw refusal('NOT_PROMOTABLE', `job ${job.id} has no fresh tables: replay start … --into fresh`);
  }
  if (promotedTime !== undefined)
    throw refusal('ALREADY_PROMOTED', `the tables of job ${job.id} were put into use before`);
  if (status !== 'completed') {
    throw refusal('NOT_COMPLETED', `job ${job.id} is ${status}: replay start --resume ${job.id} first`);
  }
  if (failureCount > 0) {
    throw refusal('HAS_FAILURES', `job ${job.id} has ${failureCount} failures: its tables are not complete`);
  }
  if (spec.devices !== undefined || spec.shards !== undefined) {
    throw refusal(
      'NOT_ALL_DEVICES',
      `job ${job.id} holds some devices or shards alone: the others would be gone`,
    );
  }
  const found = await existingTables(services.dynamoDb, spec.tables, host.stop);
  if (found.length < 2) throw refusal('TABLES_GONE', `the tables of job ${job.id} are not there any more`);
}

/**
 * Puts the tables of a finished replay into use: stops the live projector and waits until no invocation can write any
 * more, replays what it has finished since, switches, waits until everybody has heard of it, and starts it again.
 * However it ends, the projector is started again.
 */
export async function promote(
  context: CommandContext,
  job: ReplayJob,
  functionTimeoutMs: number,
): Promise<Promotion> {
  const { services, host } = context;
  const { clock, configuration, dynamoDb } = services;
  const { tables } = job.spec;
  if (tables === undefined) throw new TypeError('a job that is promoted has tables');
  const previous = await services.generation(host.stop);
  const mapping = await mappingOf(services, functionTimeoutMs, host.stop);
  const readBefore = totalOf(job.ledger).read;
  const pausedTime = clock.now();
  const generation = { ...tables, id: `${job.id}-${pausedTime}`, activatedTime: pausedTime };
  try {
    await mapping.pause(host.stop);
    await catchUpWithProjector(context, job, functionTimeoutMs);
    await activateGeneration(dynamoDb, configuration.operationsTable, generation, previous.id, host.stop);
    await clock.sleep(GENERATION_WAIT_MS, host.stop);
  } finally {
    await mapping.resume(AbortSignal.timeout(RESUME_MAPPING_MS));
  }
  job.promotedTime = clock.now();
  job.saves = (job.saves ?? 0) + 1;
  const { jobs } = await replayServices(context, job, functionTimeoutMs);
  await jobs.save(job);
  return {
    job: job.id,
    generation: generation.id,
    previous: previous.id,
    ...tables,
    caughtUpEvents: totalOf(job.ledger).read - readBefore,
    pausedMs: clock.now() - pausedTime,
  };
}

/** Replays from the end of the job to what the projector has finished. Refuses where the tables do not reach so far then. */
async function catchUpWithProjector(
  context: CommandContext,
  job: ReplayJob,
  functionTimeoutMs: number,
): Promise<void> {
  const { services, host } = context;
  const replay = await replayServices(context, job, functionTimeoutMs);
  const rest = restOf(job, services.clock.now());
  await runReplay({ ...replay, bound: await progressBound(replay, host.stop) }, rest, host.stop);
  host.stop.throwIfAborted();
  if (rest.status !== 'completed' || rest.failureCount > 0) {
    throw refusal(
      'NOT_CAUGHT_UP',
      `the tables of job ${job.id} could not be brought up to date; those in use stay`,
    );
  }
  for (const [name, more] of Object.entries(rest.ledger)) {
    const sum = job.ledger[name] ?? noLedger();
    addLedger(sum, more);
    job.ledger[name] = sum;
  }
  // From here on the job is saved as the run that caught up left it.
  if (rest.runner !== undefined) job.runner = rest.runner;
  if (rest.saves !== undefined) job.saves = rest.saves;
}

/** The window of a job ended when it began; what the projector finished since lies behind, in the stream. */
function restOf(job: ReplayJob, nowMs: number): ReplayJob {
  const { rate: _, ...spec } = job.spec;
  const part = { source: 'stream' as const, fromMs: catchUpFrom(job), toMs: nowMs };
  return {
    ...newJob(job.id, { ...spec, isPolite: false, parts: [part] }, job.createdTime),
    workedMs: job.workedMs,
    ...(job.runner === undefined ? {} : { runner: job.runner }),
    ...(job.saves === undefined ? {} : { saves: job.saves }),
  };
}

/** Arrivals of shards differ a little, and of one step back: what is read twice is stored once. */
const OVERLAP_MS = 60_000;
/** What arrived before the end of an archive's window may have been delivered after it was read: see `archive-objects.ts`. */
const ARCHIVE_OVERLAP_MS = 25 * 3_600_000;

/** Where in the stream the catch-up begins; 0: at its beginning. */
function catchUpFrom({ spec, createdTime }: ReplayJob): number {
  const last = spec.parts.at(-1);
  if (last === undefined) throw new TypeError('a replay has a part');
  if (last.source === 'archive') return Math.max(0, last.toMs - ARCHIVE_OVERLAP_MS);
  // Each chain was copied as it stood some time after the job was created.
  return (last.source === 'event-store' ? createdTime : last.toMs) - OVERLAP_MS;
}

/** Throws a refusal where the stream has lost what lies between the end of the job and now. */
export async function checkStreamReaches({ services, host }: CommandContext, job: ReplayJob): Promise<void> {
  const { createdTime, retentionMs } = await streamFacts(services, host.stop);
  const oldestMs = services.clock.now() - retentionMs;
  const fromMs = job.spec.parts.at(-1)?.toMs ?? 0;
  if (createdTime > oldestMs || fromMs > oldestMs) return;
  throw refusal(
    'BEFORE_RETENTION',
    `job ${job.id} ends before what the stream still has: replay again, and promote soon`,
  );
}
