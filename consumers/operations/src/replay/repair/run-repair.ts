import type { DeviceId, EventPage, ReceiptLimits } from '@twinstream/device-model';
import { PAGE_WRITING } from '@twinstream/pipeline-settings';
import { CodedError } from '@twinstream/runtime';
import { allDevices, storedOf } from '../../devices.ts';
import type { Stores } from '../../services.ts';
import { createPace } from '../pace.ts';
import { newJob, noteFailure, type ReplayCounts, type ReplayJob, type ReplayPass } from '../replay-job.ts';
import { progressBound, type ReplayRun } from '../replay-run.ts';
import { runSource } from '../run-source.ts';
import { projectingTarget } from '../targets.ts';
import { damageOf } from './missing-run.ts';
import { previewStores } from './preview-stores.ts';
import { restoreState } from './restore-state.ts';
import {
  type DamagedChains,
  damagedChains,
  gatherMissing,
  missingPageCount,
  type PageNumbers,
  restoreChain,
  type SurveyOptions,
} from './survey.ts';

/** Passes by name, in their order. Each may be repeated, and returns the one that follows. */
const PASSES: Readonly<Record<Exclude<ReplayPass, 'done'>, (run: ReplayRun) => Promise<ReplayPass>>> = {
  /** Finds pages that are missing, gathers their events from the source, and puts them back under their numbers. */
  survey: async (run) => ((await restoreMissingPages(run, isMissingAlone)).areLeft ? 'restore' : 'states'),
  /**
   * Where neighbours are missing: puts those back. The boundaries between them may differ, and the keys with them: a
   * projector that remembers one of the old would find its next key free, and part the chain. So the live projector is
   * stopped meanwhile, and forgets.
   */
  restore: async (run) => {
    await paused(run, async () => {
      await restoreMissingPages(run, () => true);
    });
    return 'states';
  },
  /** Writes every state that is not the fold of its pages. */
  states: async (run) => {
    await restoreStates(run);
    return 'apply';
  },
  /** Appends, marked repaired, what was never accepted, up to shard progress. */
  apply: async (run) => {
    const { job } = run;
    const bound = await progressBound(run, run.signal);
    await runSource({
      ...run,
      bound,
      target: projectingTarget({
        ...run,
        isRepair: true,
        isLeftOut: lostDevices(run),
        onFailure: noting(job),
      }),
    });
    if (!job.repair.hasLostDevices) return 'done';
    job.ledgerBeforeRebuild = job.ledger;
    job.ledger = {};
    return 'rebuild';
  },
  /**
   * Where there are devices of which nothing is stored at all: writes their chains again. The live projector is stopped
   * meanwhile, since it may remember chains that end elsewhere.
   */
  rebuild: async (run) => {
    const { job } = run;
    await paused(run, async () => {
      const target = projectingTarget({ ...run, isRepair: false, onFailure: noting(job) });
      // The projector has come further before it stopped.
      await runSource({ ...run, bound: await progressBound(run, run.signal), target });
    });
    job.ledger = rebuiltCounts(job.ledgerBeforeRebuild ?? {}, job.ledger);
    delete job.ledgerBeforeRebuild;
    return 'done';
  },
};

/** Puts the tables in use right, in {@link PASSES}, from the one in which the job stands. */
export async function runRepair(run: ReplayRun): Promise<void> {
  for (let { pass } = run.job; pass !== 'done'; ) {
    pass = await PASSES[pass](run);
    if (pass !== 'done') await enter(run, pass);
  }
  await run.checkpointing.save();
}

function noting(job: ReplayJob): (deviceId: DeviceId, error: unknown) => void {
  return (deviceId, error) => noteFailure(job, deviceId, error);
}

/** Works while the live projector is paused. The pause is recorded before it begins. */
async function paused(run: ReplayRun, work: () => Promise<void>): Promise<void> {
  const { job, clock, checkpointing } = run;
  if (job.spec.target !== undefined && job.runner !== undefined) {
    const { host, pid } = job.runner;
    job.pause = { purpose: 'repair', since: clock.now(), host, pid };
    await checkpointing.save();
  }
  await run.whilePaused(work);
  delete job.pause;
}

/** The rebuild reads everything once more: only what it made of entries that were left alone before counts. */
function rebuiltCounts(before: ReplayCounts, rebuilt: ReplayCounts): ReplayCounts {
  const ledger: ReplayCounts = { ...rebuilt, ...before };
  for (const [name, shard] of Object.entries(before)) {
    const more = rebuilt[name];
    if (more === undefined) continue;
    const { applied, late, duplicate, failed } = more;
    ledger[name] = {
      ...shard,
      applied: shard.applied + applied,
      late: shard.late + late,
      duplicate: shard.duplicate + duplicate,
      failed: shard.failed + failed,
      skipped: Math.max(0, shard.skipped - applied - late - duplicate - failed),
    };
  }
  return ledger;
}

async function enter({ job, checkpointing }: ReplayRun, pass: ReplayPass): Promise<void> {
  job.pass = pass;
  job.part = 0;
  job.checkpoints = {};
  await checkpointing.save();
}

/**
 * Does the same to stores that keep it to themselves: nothing is changed, and the job has the numbers that the repair would
 * have. One that is resumed begins again, since what it had written is gone.
 */
export async function previewRepair(run: ReplayRun): Promise<void> {
  const { job } = run;
  const { ledger, repair, part, checkpoints } = newJob(job.id, job.spec, job.createdTime);
  Object.assign(job, { pass: 'survey', ledger, repair, part, checkpoints, failures: [], failureCount: 0 });
  await runRepair({ ...run, stores: previewStores(run.stores), whilePaused: (work) => work() });
}

/** True where no two neighbours are missing: each page comes back as it was. */
function isMissingAlone(missing: readonly PageNumbers[]): boolean {
  return missing.every(({ firstPage, lastPage }) => firstPage === lastPage);
}

/** Puts back what is missing of the chosen chains, and tells whether there are others. */
async function restoreMissingPages(
  run: ReplayRun,
  isChosen: (missing: readonly PageNumbers[]) => boolean,
): Promise<{ readonly areLeft: boolean }> {
  const { job, stores, signal } = run;
  const onFailure = (deviceId: DeviceId, error: unknown) => {
    if (!isOfDevice(error)) throw error;
    noteFailure(job, deviceId, error);
  };
  let mended = 0;
  const onMisdescribed = async (page: EventPage) => {
    // Its body is sound: the attributes beside it are written from there again.
    if ((await stores.eventStore.replacePage(page, signal)) === 'changed') return;
    mended += 1;
  };
  const { heldCharactersMax } = run;
  const options = { signal, onFailure, onMisdescribed, heldCharactersMax };
  const all = await damagedChains(stores, job.spec.devices, options);
  try {
    // A repair that was killed half-way has restored some already.
    job.repair.pagesMissing = Math.max(
      job.repair.pagesMissing,
      job.repair.pagesRestored + missingPageCount(all) + mended,
    );
    job.repair.pagesRestored += mended;
    const chosen = [...all.missing].filter(([, missing]) => isChosen(missing)).map(([deviceId]) => deviceId);
    if (chosen.length > 0) await restoreChains(run, all, chosen, onFailure);
    return { areLeft: chosen.length < all.missing.size };
  } finally {
    all.close();
  }
}

async function restoreChains(
  run: ReplayRun,
  damaged: DamagedChains,
  devices: readonly DeviceId[],
  onFailure: SurveyOptions['onFailure'],
): Promise<void> {
  const { job, stores, signal } = run;
  const gathering = gatherMissing(damaged, new Set(devices), run);
  try {
    await readAside(run, gathering.target);
    for (const deviceId of devices) {
      signal.throwIfAborted();
      try {
        job.repair.pagesRestored += await restoreChain(stores, damaged.of(deviceId), gathering.of(deviceId), {
          limits: limitsOf(run),
          signal,
        });
      } catch (error) {
        onFailure(deviceId, error);
      }
      await run.checkpointing.noteStep();
    }
  } finally {
    gathering.close();
  }
}

function limitsOf({ pageWriting = PAGE_WRITING }: ReplayRun): ReceiptLimits {
  return pageWriting.pageLimits.receipts;
}

/** Reads the whole source without moving the job's own checkpoints. */
async function readAside(run: ReplayRun, target: Parameters<typeof runSource>[0]['target']): Promise<void> {
  const { job, clock } = run;
  const aside = newJob(job.id, job.spec, clock.now());
  const checkpointing = {
    noteStep: () => run.checkpointing.noteStep(),
    save: () => run.checkpointing.save(),
  };
  const pace = createPace(job.spec.rate, clock);
  await runSource({ ...run, job: aside, pace, checkpointing, target });
}

async function restoreStates(run: ReplayRun): Promise<void> {
  const { job, stores, signal } = run;
  for await (const deviceId of job.spec.devices ?? allDevices(stores, signal)) {
    signal.throwIfAborted();
    try {
      const found = await restoreState(stores, deviceId, { limits: limitsOf(run), signal });
      if (found !== 'equal') job.repair.statesDiffering += 1;
      if (found === 'restored') job.repair.statesRestored += 1;
    } catch (error) {
      if (!isOfDevice(error)) throw error;
      noteFailure(job, deviceId, error);
    }
    await run.checkpointing.noteStep();
  }
}

const DEVICE_CODES = new Set([
  'PAGES_NOT_RESTORABLE',
  'CHAIN_CHANGED',
  'CHAIN_BROKEN',
  'UNKNOWN_EVENT_VERSION',
  'PAGE_TOO_LARGE',
  'STATE_TOO_LARGE',
  'PAGE_REPLACEMENT_DENIED',
]);

function isOfDevice(error: unknown): boolean {
  return error instanceof CodedError && DEVICE_CODES.has(error.code);
}

/** Tells devices of which nothing is stored, and devices whose chain is still broken, so that neither is written to. */
function lostDevices({ job, stores, signal }: ReplayRun): (deviceId: DeviceId) => Promise<boolean> {
  const known = new Map<DeviceId, boolean>();
  return async (deviceId) => {
    const before = known.get(deviceId);
    if (before !== undefined) return before;
    const stored = await storedOf(stores, deviceId, signal);
    const isLost = stored === 'nothing' || stored === 'other-items';
    if (isLost) job.repair.hasLostDevices = true;
    const isLeftOut = isLost || (await isDamaged(stores, deviceId, signal));
    known.set(deviceId, isLeftOut);
    return isLeftOut;
  };
}

async function isDamaged(
  { eventStore, latestState }: Stores,
  deviceId: DeviceId,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return (await damageOf(eventStore, latestState, deviceId, { signal })) !== undefined;
  } catch (error) {
    // The survey has noted why.
    if (isOfDevice(error)) return true;
    throw error;
  }
}
