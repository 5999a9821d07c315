import type { ShardId } from '@twinstream/stream-model';
import { wake } from '../kinesis/wake.ts';
import { consumeShard, type MappingContext, type StopSignals } from './shard-consumer.ts';
import type { ShardLineage, ShardStart } from './shard-reader.ts';

/** How often the shards are listed, besides whenever one is finished. */
export const LIST_SHARDS_INTERVAL_MS = 1_000;

/** Before a consumer that failed begins again. */
const RESTART_WAIT_MS = 1_000;

/**
 * Consumes every shard of a stream, parents before children: a shard begins when each parent that the stream still lists
 * is finished to its last record. Resolves when `stop` is aborted and nothing is under way. New shards are found within
 * a second, and immediately when their parent is finished.
 */
export async function consumeStream(context: MappingContext, signals: StopSignals): Promise<void> {
  const running = new Map<ShardId, Promise<void>>();
  const ended = wake(context.clock);
  while (!signals.stop.aborted) {
    const shards = await listShards(context);
    for (const shard of shards ?? []) {
      if (running.has(shard.shardId) || !isReady(shard, shards ?? [], context)) continue;
      const work = runShard(context, shard, signals).finally(() => {
        running.delete(shard.shardId);
        ended.notify();
      });
      running.set(shard.shardId, work);
    }
    if (shards) forgetGone(context, shards, running);
    await ended.wait(signals.stop, LIST_SHARDS_INTERVAL_MS);
  }
  await Promise.all(running.values());
}

/** Undefined when the stream cannot be asked. */
async function listShards({
  reader,
  logger,
  mappingId,
}: MappingContext): Promise<readonly ShardLineage[] | undefined> {
  try {
    return await reader.shards();
  } catch (error) {
    logger.warn({ error, mappingId }, 'shards cannot be listed');
    return undefined;
  }
}

function isFinished({ checkpoints }: MappingContext, shardId: ShardId): boolean {
  return checkpoints.read(shardId)?.kind === 'finished';
}

function isReady(shard: ShardLineage, listed: readonly ShardLineage[], context: MappingContext): boolean {
  if (isFinished(context, shard.shardId)) return false;
  const known = new Set(listed.map(({ shardId }) => shardId));
  return shard.parents.every((parent) => !known.has(parent) || isFinished(context, parent));
}

/** An error that is not waited out is a defect: it is logged, and soon the shard begins again from its checkpoint. */
async function runShard(context: MappingContext, shard: ShardLineage, signals: StopSignals): Promise<void> {
  const { logger, mappingId, clock } = context;
  const { shardId } = shard;
  try {
    const how = await consumeShard(context, shardId, startOf(context, shard), signals);
    if (how === 'finished') logger.info({ mappingId, shardId }, 'shard finished');
  } catch (error) {
    logger.error({ error, mappingId, shardId }, 'shard consumer failed and begins again');
    await clock.sleep(RESTART_WAIT_MS, signals.stop).catch(() => undefined);
  }
}

/** From the checkpoint; without one as the settings say, which suits a child too: a later time only leaves out what its parents left out. */
function startOf({ checkpoints, settings }: MappingContext, { shardId }: ShardLineage): ShardStart {
  const checkpoint = checkpoints.read(shardId);
  if (checkpoint?.kind !== 'at') return settings.startingPosition;
  return { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: checkpoint.sequenceNumber };
}

/** Checkpoints of shards that the stream dropped are unused. */
function forgetGone(
  { checkpoints }: MappingContext,
  shards: readonly ShardLineage[],
  running: ReadonlyMap<ShardId, unknown>,
): void {
  const listed = new Set(shards.map(({ shardId }) => shardId));
  for (const shardId of checkpoints.shardIds()) {
    if (!listed.has(shardId) && !running.has(shardId)) checkpoints.forget(shardId);
  }
}
