import type { Clock } from '@twinstream/runtime';
import type { JobStore } from './job-store.ts';
import type { ReplayJob } from './replay-job.ts';

/** Time between two checkpoints, in milliseconds: what a kill repeats at most. */
export const CHECKPOINT_MS = 2_000;

/** Raised inside a run whose cancellation was requested. */
export class CancelRequested extends Error {}

/** Writes a job's checkpoints: at most one in {@link CHECKPOINT_MS}, and only one at a time. */
export interface Checkpointing {
  /** To be called after each step. */
  noteStep(): Promise<void>;
  /** Writes now. */
  save(): Promise<void>;
}

export function createCheckpointing(
  job: ReplayJob,
  jobs: JobStore,
  clock: Clock,
  intervalMs = CHECKPOINT_MS,
): Checkpointing {
  let savedMs = clock.now();
  const startedMs = clock.now();
  const workedBefore = job.workedMs;
  let saving: Promise<void> | undefined;
  async function write(): Promise<void> {
    savedMs = clock.now();
    job.updatedTime = savedMs;
    job.workedMs = workedBefore + savedMs - startedMs;
    job.saves = (job.saves ?? 0) + 1;
    const { isCancelRequested } = await jobs.save(job);
    if (isCancelRequested && job.status === 'running') throw new CancelRequested('the job was cancelled');
  }
  /** After all that was asked for before: a later save that lands first would make the store refuse the others. */
  async function after(before: Promise<void> | undefined): Promise<void> {
    await before?.catch(() => undefined);
    await write();
  }
  function save(): Promise<void> {
    saving = after(saving);
    return saving;
  }
  return {
    noteStep: async () => {
      if (clock.now() - savedMs >= intervalMs) await save();
    },
    save,
  };
}
