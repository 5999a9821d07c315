import { readFile } from 'node:fs/promises';
import { CodedError } from '@twinstream/runtime';
import { isSequenceNumber, isShardId, type ShardId } from '@twinstream/stream-model';
import { z } from 'zod';
import type { Checkpoint, CheckpointStore } from './checkpoint.ts';
import { coalescedFileWriter } from './coalesced-file-writer.ts';

const SHARDS = z.record(
  z.custom<ShardId>((value) => typeof value === 'string' && isShardId(value)),
  z.union([
    z.strictObject({ kind: z.literal('finished') }),
    z.strictObject({ kind: z.literal('at'), sequenceNumber: z.string().refine(isSequenceNumber) }),
  ]),
);
const DOCUMENT = z.strictObject({ version: z.literal(1), shards: SHARDS });

/**
 * Opens the checkpoints in `path`; none when there is no such file. The file is replaced whole, so that a kill leaves
 * the old one or the new one. Throws `CHECKPOINTS_UNREADABLE` for any other content.
 */
export async function openCheckpointFile(
  path: string,
  onError: (error: unknown) => void,
): Promise<CheckpointStore> {
  const checkpoints = await load(path);
  const content = () => JSON.stringify({ version: 1, shards: Object.fromEntries(checkpoints) });
  const writer = coalescedFileWriter(path, content, onError);
  return {
    read: (shardId) => checkpoints.get(shardId),
    save: (shardId, checkpoint) => {
      checkpoints.set(shardId, checkpoint);
      writer.changed();
    },
    shardIds: () => [...checkpoints.keys()],
    forget: (shardId) => {
      if (checkpoints.delete(shardId)) writer.changed();
    },
    flush: () => writer.flush(),
  };
}

async function load(path: string): Promise<Map<ShardId, Checkpoint>> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return new Map();
  try {
    const { shards } = DOCUMENT.parse(JSON.parse(text));
    const entries: [ShardId, Checkpoint][] = [];
    for (const [shardId, checkpoint] of Object.entries(shards)) {
      if (isShardId(shardId)) entries.push([shardId, checkpoint]);
    }
    return new Map(entries);
  } catch (error) {
    throw new CodedError('CHECKPOINTS_UNREADABLE', `${path} does not hold checkpoints`, { cause: error });
  }
}
