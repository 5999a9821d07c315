import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { DeviceId } from '@twinstream/device-model';
import type { ShardProgressTable } from '@twinstream/latest-state';
import type { PageWriting } from '@twinstream/pipeline-settings';
import type { ResolvableQuarantine } from '@twinstream/quarantine';
import type { Clock, Logger } from '@twinstream/runtime';
import type { ShardId, ShardPosition } from '@twinstream/stream-model';
import type { TableNames } from '@twinstream/table-generation';
import type { Stores } from '../services.ts';
import { CancelRequested, type Checkpointing, createCheckpointing } from './checkpointing.ts';
import { type DecodeOptions, type Redriven, redrivenKey } from './decode-entries.ts';
import type { JobStore } from './job-store.ts';
import { createPace, type Pace } from './pace.ts';
import { recordKey, refusedCorrections } from './refused-corrections.ts';
import { previewStores } from './repair/preview-stores.ts';
import { previewRepair, runRepair } from './repair/run-repair.ts';
import { noteFailure, type ReplayJob, type ReplayStatus, RUN, type Runner } from './replay-job.ts';
import type { ReplayPart } from './replay-spec.ts';
import { runEventStore } from './run-event-store.ts';
import { runSource } from './run-source.ts';
import type { ReplaySource } from './sources/replay-source.ts';
import { countingTarget, linesTarget, projectingTarget, type ReplayTargetFunction } from './targets.ts';

/** Tables that are put into use while the live projector is paused. */
export interface NextTables {
  readonly tables: TableNames;
  /** Runs once no projector uses the previous tables any more. */
  readonly settle: () => Promise<void>;
}

/** What a replay reaches. */
export interface ReplayServices {
  readonly jobs: JobStore;
  /** The tables in use. */
  readonly stores: Stores;
  /** The tables of a job whose target is `fresh`. */
  readonly fresh: Stores | undefined;
  readonly quarantine: Pick<ResolvableQuarantine, 'resolved' | 'list' | 'read'>;
  readonly shardProgress: Pick<ShardProgressTable, 'read'>;
  readonly streamName: string;
  /** A polite source leaves the live consumers at least half of each shard's reads. */
  readonly sourceOf: (source: ReplayPart['source'], isPolite: boolean) => ReplaySource;
  /** Takes text for standard output, and resolves when there is room for more. */
  readonly write: (text: string) => Promise<void>;
  /**
   * Stops the live projector while `work` runs, and waits first until no invocation can write any more; then puts `next`
   * into use (by default the same tables, so that the projector forgets what it knows of them), runs `settle`, and starts
   * the projector again, however it ends. Throws `PROJECTOR_RESUMED` where somebody started it meanwhile.
   */
  readonly whilePaused: (work: () => Promise<void>, next?: NextTables) => Promise<void>;
  readonly clock: Clock;
  readonly random?: () => number;
  readonly logger: Logger;
  /** Says who is at work. Default: this process, under a token of its own. */
  readonly newRunner?: () => Runner;
  /** As the live projector lays out pages. Default: `PAGE_WRITING`. */
  readonly pageWriting?: PageWriting;
  readonly checkpointMs?: number;
  /** The job is written so often at least, whatever the run waits for; absent: at its steps alone. */
  readonly heartbeatMs?: number;
  /** Highest place wanted of each shard; absent: no bound. A repair has its own. */
  readonly bound?: (shardId: ShardId) => ShardPosition | undefined;
}

/** What each pass of a run works with. */
export interface ReplayRun extends ReplayServices {
  readonly job: ReplayJob;
  readonly pace: Pace;
  readonly checkpointing: Checkpointing;
  readonly devices: ReadonlySet<DeviceId> | undefined;
  readonly redriven: Redriven;
  readonly isRefused: DecodeOptions['isRefused'];
  readonly signal: AbortSignal;
}

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

/** What became of entries in quarantine: a replay puts what operators made of them in their place, and leaves the others out. */
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
  const redriven = new Map<string, Uint8Array>();
  const discarded = new Set<string>();
  for await (const { shardId, sequenceNumber, resolution } of quarantine.resolved(signal)) {
    if (resolution.outcome === 'discarded') discarded.add(recordKey({ shardId, sequenceNumber }));
    for (const { subSequenceNumber, text } of resolution.events) {
      redriven.set(redrivenKey({ shardId, sequenceNumber, subSequenceNumber }), Buffer.from(text));
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

/** How far the live projector has finished each shard. */
export async function progressBound(
  { shardProgress, streamName }: Pick<ReplayServices, 'shardProgress' | 'streamName'>,
  signal: AbortSignal,
): Promise<(shardId: ShardId) => ShardPosition | undefined> {
  const progress = await shardProgress.read(streamName, signal);
  const bounds = new Map(
    progress.map(({ shardId, finishedThrough }) => [
      shardId,
      { sequenceNumber: finishedThrough, subSequenceNumber: Number.MAX_SAFE_INTEGER },
    ]),
  );
  return (shardId) => bounds.get(shardId);
}
