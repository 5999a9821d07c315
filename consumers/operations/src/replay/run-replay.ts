import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { RedrivenEvent, ResolvableQuarantine } from '@twinstream/quarantine';
import { CancelRequested, type Checkpointing, createCheckpointing } from './checkpointing.ts';
import { createPace } from './pace.ts';
import { recordKey, refusedCorrections } from './refused-corrections.ts';
import { previewStores } from './repair/preview-stores.ts';
import { previewRepair, runRepair } from './repair/run-repair.ts';
import { type Redriven, redrivenKey } from './replay-entry.ts';
import { noteFailure, type ReplayJob, type ReplayStatus, RUN, type Runner } from './replay-job.ts';
import type { ReplayRun, ReplayServices } from './replay-run.ts';
import { runEventStore } from './run-event-store.ts';
import { runSource } from './run-source.ts';
import { countingTarget, linesTarget, projectingTarget, type ReplayTargetFunction } from './targets.ts';

/** This process, under a token of its own. */
export function thisProcess(): Runner {
  return { token: randomUUID(), host: hostname(), pid: process.pid };
}

/**
 * Runs a job to its end, or to the signal. The job is this runner's from here on, whichever runner had it before; it stays resumable
 * however this ends, and its status says how. Rejects with what went wrong; an abort is the status `stopped`.
 */
export async function runReplay(
  services: ReplayServices,
  job: ReplayJob,
  signal: AbortSignal,
): Promise<void> {
  const previous = job.runner;
  job.runner = (services.newRunner ?? thisProcess)();
  job.status = 'running';
  await services.jobs.takeOver(job, previous);
  const { clock, checkpointMs } = services;
  const checkpointing = createCheckpointing(job, services.jobs, clock, checkpointMs);
  const { devices } = job.spec;
  try {
    const run: ReplayRun = {
      ...services,
      job,
      pace: createPace(job.spec.rate, clock),
      checkpointing,
      devices: devices === undefined ? undefined : new Set(devices),
      ...(await readDispositions(services, signal)),
      signal,
    };
    await beating(run, () => runPasses(run));
    job.status = 'completed';
    job.pass = 'done';
    await checkpointing.save();
  } catch (error) {
    const ended = await settle(job, checkpointing, error, signal);
    if (ended === 'failed') throw error;
  }
}

/** Writes the job while a pass waits for something else, so that a job that nobody works on can be told from one that waits. */
async function beating(run: ReplayRun, work: () => Promise<void>): Promise<void> {
  const { heartbeatMs, clock, checkpointing } = run;
  if (heartbeatMs === undefined) return work();
  const ended = new AbortController();
  const beat = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await clock.sleep(heartbeatMs, ended.signal);
      // What goes wrong here goes wrong at the next step, too, which says so.
      await checkpointing.noteStep().catch(() => undefined);
    }
  };
  const heart = beat().catch((error: unknown) => {
    if (!ended.signal.aborted) throw error;
  });
  try {
    await work();
  } finally {
    ended.abort();
    await heart;
  }
}

async function settle(
  job: ReplayJob,
  checkpointing: Checkpointing,
  error: unknown,
  signal: AbortSignal,
): Promise<ReplayStatus> {
  if (error instanceof CancelRequested) job.status = 'cancelled';
  else if (signal.aborted) job.status = 'stopped';
  else {
    job.status = 'failed';
    noteFailure(job, RUN, error);
  }
  // A checkpoint that cannot be written now leaves the one before: a resume begins there.
  await checkpointing.save().catch(() => undefined);
  return job.status;
}

/** Resolutions of entries in quarantine: a replay puts what operators made of them in their place, and leaves the others out. */
export async function readDispositions(
  { quarantine, stores: live }: Pick<ReplayServices, 'quarantine' | 'stores'>,
  signal: AbortSignal,
): Promise<Pick<ReplayRun, 'redriven' | 'isRefused'>> {
  const { redriven, discarded } = await readResolved({ quarantine }, signal);
  return { redriven, isRefused: refusedCorrections({ quarantine, discarded, live, signal }) };
}

/** What operators made of entries in quarantine, and the records that they discarded. */
export async function readResolved(
  { quarantine }: { readonly quarantine: Pick<ResolvableQuarantine, 'resolved'> },
  signal: AbortSignal,
): Promise<{ readonly redriven: Redriven; readonly discarded: ReadonlySet<string> }> {
  const redriven = new Map<string, RedrivenEvent[]>();
  const discarded = new Set<string>();
  for await (const { shardId, sequenceNumber, resolution } of quarantine.resolved(signal)) {
    if (resolution.outcome === 'discarded') discarded.add(recordKey({ shardId, sequenceNumber }));
    for (const event of resolution.events) {
      const key = redrivenKey({ shardId, sequenceNumber, subSequenceNumber: event.subSequenceNumber });
      const others = redriven.get(key);
      if (others === undefined) redriven.set(key, [event]);
      else others.push(event);
    }
  }
  return { redriven, discarded };
}

async function runPasses(run: ReplayRun): Promise<void> {
  const { job } = run;
  const isPreview = job.spec.preview !== undefined;
  if (job.spec.parts[0]?.source === 'event-store') {
    await runEventStore(isPreview ? { ...run, stores: previewStores(run.stores) } : run);
    return;
  }
  if (job.spec.target === 'repair') {
    await runRepair(run);
    return;
  }
  if (isPreview) {
    await previewRepair(run);
    return;
  }
  await runSource({ ...run, target: targetOf(run) });
}

function targetOf(run: ReplayRun): ReplayTargetFunction {
  const { job, fresh, write } = run;
  if (job.spec.target === 'stdout') return linesTarget(run, write);
  if (job.spec.target === undefined || fresh === undefined) return countingTarget(run);
  return projectingTarget({
    ...run,
    stores: fresh,
    isRepair: false,
    onFailure: (deviceId, error) => noteFailure(job, deviceId, error),
  });
}
