import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '@twinstream/runtime';
import { z } from 'zod';
import { type CheckpointStore, memoryCheckpointStore } from './checkpoint.ts';
import { openCheckpointFile } from './checkpoint-file.ts';
import { coalescedFileWriter } from './coalesced-file-writer.ts';
import { DEFINITION_SCHEMA, type MappingDefinition } from './mapping-definition.ts';

const DOCUMENT = z.strictObject({ version: z.literal(1), mappings: z.array(DEFINITION_SCHEMA) });

/** Keeps mappings and their checkpoints across restarts and kills. */
export interface MappingFiles {
  load(): Promise<readonly MappingDefinition[]>;
  /** Resolves when these mappings, and no others, are durable. */
  save(definitions: readonly MappingDefinition[]): Promise<void>;
  openCheckpoints(mappingId: string): Promise<CheckpointStore>;
  deleteCheckpoints(mappingId: string): Promise<void>;
}

/** Files in a folder: `mappings.json` and one file of checkpoints for each mapping. */
export async function mappingFolder(
  folder: string,
  onError: (error: unknown) => void,
): Promise<MappingFiles> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'mappings.json');
  const checkpointPath = (mappingId: string) => join(folder, `checkpoints-${mappingId}.json`);
  let kept: readonly MappingDefinition[] = [];
  const content = () => JSON.stringify({ version: 1, mappings: kept }, null, 2);
  const writer = coalescedFileWriter(path, content, onError);
  return {
    load: () => load(path),
    save: async (definitions) => {
      kept = definitions;
      writer.changed();
      await writer.flush();
    },
    openCheckpoints: (mappingId) => openCheckpointFile(checkpointPath(mappingId), onError),
    deleteCheckpoints: (mappingId) => rm(checkpointPath(mappingId), { force: true }),
  };
}

/** Mappings that end with the process. */
export function memoryMappingFiles(): MappingFiles {
  const checkpoints = new Map<string, CheckpointStore>();
  return {
    load: () => Promise.resolve([]),
    save: () => Promise.resolve(),
    openCheckpoints: (mappingId) => {
      const store = checkpoints.get(mappingId) ?? memoryCheckpointStore();
      checkpoints.set(mappingId, store);
      return Promise.resolve(store);
    },
    deleteCheckpoints: (mappingId) => Promise.resolve(void checkpoints.delete(mappingId)),
  };
}

async function load(path: string): Promise<readonly MappingDefinition[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return [];
  try {
    return DOCUMENT.parse(JSON.parse(text)).mappings;
  } catch (error) {
    throw new CodedError('MAPPINGS_UNREADABLE', `${path} does not hold event source mappings`, {
      cause: error,
    });
  }
}
