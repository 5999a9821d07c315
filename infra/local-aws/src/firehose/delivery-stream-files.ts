import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '@twinstream/runtime';
import { z } from 'zod';
import { type BufferFiles, bufferFolder, NO_BUFFER_FILES } from './buffer-files.ts';
import { DEFINITION_SCHEMA, type DeliveryStreamDefinition } from './delivery-stream-definition.ts';

const DOCUMENT = z.strictObject({ version: z.literal(1), streams: z.array(DEFINITION_SCHEMA) });

/** Keeps delivery streams and what they have accepted across restarts and kills. */
export interface DeliveryStreamFiles {
  load(): Promise<readonly DeliveryStreamDefinition[]>;
  /** Resolves when these streams, and no others, are on disk. */
  save(definitions: readonly DeliveryStreamDefinition[]): Promise<void>;
  buffers(streamName: string): Promise<BufferFiles>;
}

/** `delivery-streams.json` and a folder of buffers for each stream. */
export async function deliveryStreamFolder(folder: string): Promise<DeliveryStreamFiles> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'delivery-streams.json');
  return {
    load: () => load(path),
    save: async (streams) => {
      const next = `${path}.next`;
      const file = await open(next, 'w');
      try {
        await file.writeFile(JSON.stringify({ version: 1, streams }, null, 2));
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(next, path);
    },
    buffers: (streamName) => bufferFolder(join(folder, streamName)),
  };
}

/** Streams that end with the process. */
export const NO_DELIVERY_STREAM_FILES: DeliveryStreamFiles = {
  load: () => Promise.resolve([]),
  save: () => Promise.resolve(),
  buffers: () => Promise.resolve(NO_BUFFER_FILES),
};

async function load(path: string): Promise<readonly DeliveryStreamDefinition[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return [];
  try {
    return DOCUMENT.parse(JSON.parse(text)).streams;
  } catch (error) {
    throw new CodedError('DELIVERY_STREAMS_UNREADABLE', `${path} does not hold delivery streams`, {
      cause: error,
    });
  }
}
