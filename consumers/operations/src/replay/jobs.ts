import { refusal } from '@twinstream/command-line';
import { isJobAlive, mayExist } from '@twinstream/pipeline-status';
import type { CommandContext } from '../command/command-context.ts';
import { dynamoDbJobStore, type JobStore } from './job-store.ts';
import type { ReplayJob, ReplayStatus } from './replay-job.ts';

export function jobStore({ services }: CommandContext): JobStore {
  return dynamoDbJobStore(services.dynamoDb, services.configuration.operationsTable);
}

/** Refuses a job that is not there. */
export async function requireJob(context: CommandContext, id: string): Promise<ReplayJob> {
  const job = await jobStore(context).read(id, context.host.stop);
  if (job === undefined) throw refusal('UNKNOWN_JOB', `there is no job ${id}: see replay list`);
  return job;
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
