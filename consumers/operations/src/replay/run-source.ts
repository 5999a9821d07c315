import type { Clock } from '@twinstream/runtime';
import type { ShardId, ShardPosition } from '@twinstream/stream-model';
import type { Checkpointing } from './checkpointing.ts';
import type { Pace } from './pace.ts';
import { isAfter, type ReplayBatch, type ReplayEntry } from './replay-entry.ts';
import { addCounts, countsOfShard, noCounts, type ReplayJob, type ShardCheckpoint } from './replay-job.ts';
import type { ReplayPart } from './replay-spec.ts';
import type { ReplaySource } from './sources/replay-source.ts';
import type { ReplayTargetFunction } from './targets.ts';

export interface RunSourceOptions {
  readonly job: ReplayJob;
  readonly sourceOf: (source: ReplayPart['source'], isPolite: boolean) => ReplaySource;
  readonly target: ReplayTargetFunction;
  readonly pace: Pace;
  readonly checkpointing: Checkpointing;
  readonly bound?: (shardId: ShardId) => ShardPosition | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Runs the parts of a job that are left, from their checkpoints on, each through the target. */
export async function runSource(options: RunSourceOptions): Promise<void> {
  const { job, sourceOf, checkpointing, bound, signal } = options;
  const { parts, shards } = job.spec;
  for (let part = parts[job.part]; part !== undefined; part = parts[job.part]) {
    const query = {
      fromMs: part.fromMs,
      toMs: part.toMs,
      shards,
      checkpoints: job.checkpoints,
      bound,
      signal,
    };
    await sourceOf(part.source, job.spec.isPolite).read(query, (batch) => takeBatch(options, batch));
    job.part += 1;
    if (part.source === 'stream' && job.part === parts.length) {
      job.readThrough = { ...job.readThrough, ...throughOf(job.checkpoints) };
    }
    job.checkpoints = {};
    await checkpointing.save();
  }
}

function throughOf(checkpoints: Readonly<Record<string, ShardCheckpoint>>): Record<string, ShardPosition> {
  return Object.fromEntries(
    Object.entries(checkpoints).flatMap(([shardId, { through }]) => (through ? [[shardId, through]] : [])),
  );
}

/** Takes a batch in steps, so that rate, checkpoints and signals act soon. */
async function takeBatch(options: RunSourceOptions, batch: ReplayBatch): Promise<void> {
  const { job, target, pace, checkpointing, signal } = options;
  const { shardId } = batch;
  const before = job.checkpoints[shardId]?.through;
  const entries = batch.entries.filter((entry) => isAfter(entry, before));
  let at = 0;
  do {
    signal.throwIfAborted();
    const end = Math.min(entries.length, at + pace.stepEntries);
    const step = entries.slice(at, end);
    // The counts move with the checkpoint, so that a kill leaves both at the same place.
    const counted = noCounts();
    if (step.length > 0) {
      await pace.take(step.length, signal);
      await target({ shardId, entries: step }, counted, signal);
    }
    addCounts(countsOfShard(job.ledger, shardId), counted);
    at = end;
    const isEnd = at >= entries.length;
    const through = isEnd ? batch.through : within(step, batch.through);
    advance(job, shardId, through, isEnd && batch.isLast === true);
    await checkpointing.noteStep();
  } while (at < entries.length);
}

/** The place of the last entry of a step, where the batch vouches for so much. */
function within(step: readonly ReplayEntry[], end: ShardPosition | undefined): ShardPosition | undefined {
  const last = step.at(-1);
  if (last === undefined || end === undefined || isAfter(last, end)) return undefined;
  return { sequenceNumber: last.sequenceNumber, subSequenceNumber: last.subSequenceNumber };
}

function advance(
  job: ReplayJob,
  shardId: ShardId,
  through: ShardPosition | undefined,
  isDone: boolean,
): void {
  const known = job.checkpoints[shardId];
  const further = through !== undefined && isAfter(through, known?.through) ? through : known?.through;
  job.checkpoints[shardId] = {
    ...(further === undefined ? {} : { through: further }),
    ...(isDone ? { isDone } : {}),
  };
}
