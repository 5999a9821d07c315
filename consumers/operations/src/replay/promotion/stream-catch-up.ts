import type { Stores } from '../../services.ts';
import type { StreamFacts } from '../../shard-reads.ts';
import { createPace } from '../pace.ts';
import { newJob, noteFailure, type ReplayJob } from '../replay-job.ts';
import { progressBound, type ReplayServices } from '../replay-run.ts';
import type { ReplayPart } from '../replay-spec.ts';
import { readDispositions } from '../run-replay.ts';
import { runSource } from '../run-source.ts';
import { projectingTarget } from '../targets.ts';

/** Beyond every arrival: how far a catch-up goes is said by the checkpoints of the live projector. */
const NO_END_MS = Number.MAX_SAFE_INTEGER;
/** Arrivals of a shard may step back a little: what was left of it may have arrived so long before the window's end. */
const ARRIVAL_SLACK_MS = 60_000;
/** What arrived before the end of an archive's window may have been delivered after it was read: see `archive-objects.ts`. */
const ARCHIVE_LAG_MS = 25 * 3_600_000;

/**
 * What a promotion has to read of a replay that has ended: from the positions at which it ended, up to what the live
 * projector has finished. From the archive, whose objects are in no order, the stream of the last 25 hours is read. What
 * the stream has lost meanwhile comes from the archive.
 */
export function catchUpParts(
  { spec }: Pick<ReplayJob, 'spec'>,
  { createdMs, retentionMs }: StreamFacts,
  nowMs: number,
): readonly ReplayPart[] {
  const last = spec.parts.at(-1);
  if (last === undefined) throw new TypeError('a replay has a part');
  if (last.source === 'event-store') return [];
  const lagMs = last.source === 'archive' ? ARCHIVE_LAG_MS : ARRIVAL_SLACK_MS;
  const leftFromMs = Math.max(last.fromMs, last.toMs - lagMs);
  const oldestMs = nowMs - retentionMs;
  if (leftFromMs >= oldestMs || createdMs > oldestMs) {
    // A shard without a checkpoint had nothing in the window: all of it is left.
    const fromMs = last.source === 'stream' ? last.fromMs : leftFromMs;
    return [{ source: 'stream', fromMs, toMs: NO_END_MS }];
  }
  const cutoverMs = nowMs - retentionMs / 2;
  return [
    { source: 'archive', fromMs: leftFromMs, toMs: cutoverMs },
    { source: 'stream', fromMs: cutoverMs, toMs: NO_END_MS },
  ];
}

/**
 * Replays into the fresh tables from where the job, or the catch-up before, has ended. The job returned has the counts,
 * the failures, and the positions from which the next one goes on.
 */
export async function catchUpFromStream(
  services: ReplayServices & { readonly fresh: Stores },
  job: ReplayJob,
  facts: StreamFacts,
  { isPolite, signal }: { readonly isPolite: boolean; readonly signal: AbortSignal },
): Promise<ReplayJob> {
  const { clock, fresh } = services;
  const { rate, ...spec } = job.spec;
  const parts = catchUpParts(job, facts, clock.now());
  const rest = newJob(
    job.id,
    { ...spec, parts, isPolite, ...(isPolite && rate !== undefined ? { rate } : {}) },
    job.createdTime,
  );
  const isStream = job.spec.parts.at(-1)?.source === 'stream';
  for (const [shardId, through] of Object.entries((isStream && job.readThrough) || {})) {
    rest.checkpoints[shardId] = { through };
  }
  if (job.readThrough !== undefined) rest.readThrough = job.readThrough;
  await runSource({
    ...services,
    job: rest,
    pace: createPace(rest.spec.rate, clock),
    // It is repeated whole: what was stored before is not stored again.
    checkpointing: { noteStep: async () => undefined, save: async () => undefined },
    bound: await progressBound(services, signal),
    target: projectingTarget({
      ...services,
      stores: fresh,
      ...(await readDispositions(services, signal)),
      isRepair: false,
      onFailure: (deviceId, error) => noteFailure(rest, deviceId, error),
    }),
    signal,
  });
  return rest;
}
