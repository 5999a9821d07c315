import { hostname } from 'node:os';
import type { CommandContext } from '../command/command-context.ts';
import { refusal } from '../command/refusal.ts';
import { dynamoDbJobStore, type JobStore } from './job-store.ts';
import type { ReplayJob } from './replay-job.ts';

export function jobStore({ services }: CommandContext): JobStore {
  return dynamoDbJobStore(services.dynamoDb, services.configuration.operationsTable);
}

/** Refuses a job that is not there. */
export async function requireJob(context: CommandContext, id: string): Promise<ReplayJob> {
  const job = await jobStore(context).read(id, context.host.stop);
  if (job === undefined) throw refusal('UNKNOWN_JOB', `there is no job ${id}: see replay list`);
  return job;
}

/** A runner writes its checkpoint every few seconds; one of this machine is looked up. */
const SILENT_MS = 15_000;

/** True while a runner seems to be at work on it. */
export function isAlive({ status, runner, updatedTime }: ReplayJob, nowMs: number): boolean {
  if (status !== 'running' || runner === undefined) return false;
  if (runner.host !== hostname()) return nowMs - updatedTime < SILENT_MS;
  try {
    return process.kill(runner.pid, 0);
  } catch {
    return false;
  }
}
