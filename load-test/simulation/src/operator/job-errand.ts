import { forgetFailures, newJob, type ReplayJob, type ReplaySpec, runReplay } from '@twinstream/operations';
import { CodedError } from '@twinstream/runtime';
import type { FreshTables } from './fresh-tables.ts';
import { JobWatch } from './job-watch.ts';
import type { Errand, OperatorProcess } from './operator.ts';
import { jobsReachedBy, replayServices } from './replay-services.ts';
import type { Surroundings } from './surroundings.ts';

export interface JobErrandOptions {
  readonly name: string;
  readonly spec: ReplaySpec;
  readonly checkpointMs: number;
  readonly fresh?: FreshTables;
  /** Told of the job when it is completed. */
  readonly onCompleted: (job: ReplayJob) => void;
}

/** A replay by its id: the first attempt starts it, and each after that resumes it, as `replay start` does. */
export function jobErrand(around: Surroundings, id: string, options: JobErrandOptions): Errand {
  const { scheduler, onViolation } = around;
  const { spec, checkpointMs, name } = options;
  const createdTime = scheduler.now;
  const watch = new JobWatch(checkpointMs, () => scheduler.now, onViolation);
  return {
    name,
    attempt: async (process) => {
      const job = await openJob(around, process, newJob(id, spec, createdTime));
      if (job.status !== 'completed') {
        await runReplay(
          replayServices(around, process, job, { ...options, watch }),
          job,
          new AbortController().signal,
        );
      }
      if (job.status !== 'completed') throw new CodedError('NOT_COMPLETED', job.status, { retryable: true });
      if (process.isReplaced) return;
      watch.checkLedger(job, around.decoder.mappings.length > 0);
      options.onCompleted(job);
    },
  };
}

async function openJob(
  around: Surroundings,
  { owner }: OperatorProcess,
  fresh: ReplayJob,
): Promise<ReplayJob> {
  const jobs = jobsReachedBy(owner, around);
  const known = await jobs.read(fresh.id);
  if (known === undefined) {
    await jobs.create(fresh);
    return fresh;
  }
  forgetFailures(known);
  return known;
}
