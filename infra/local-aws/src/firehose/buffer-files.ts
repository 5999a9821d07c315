import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { addRecords, type RecordBuffer, recordBuffer } from './record-buffer.ts';
import { createWriteAheadFile, readWriteAheadFile, type WriteAheadFile } from './write-ahead-file.ts';

const SUFFIX = '.records';

/** Where the buffers of one delivery stream are kept while they wait. */
export interface BufferFiles {
  create(uuid: string): Promise<WriteAheadFile | undefined>;
  /** Buffers that another process left, oldest first. */
  left(): Promise<readonly RecordBuffer[]>;
  removeAll(): Promise<void>;
}

/** Nowhere: buffers end with the process. */
export const NO_BUFFER_FILES: BufferFiles = {
  create: () => Promise.resolve(undefined),
  left: () => Promise.resolve([]),
  removeAll: () => Promise.resolve(),
};

/** One file for each buffer, named by its id, in a folder of its own. */
export async function bufferFolder(folder: string): Promise<BufferFiles> {
  await mkdir(folder, { recursive: true });
  return {
    create: (uuid) => createWriteAheadFile(join(folder, uuid + SUFFIX)),
    left: async () => {
      const names = (await readdir(folder)).filter((name) => name.endsWith(SUFFIX));
      const buffers = await Promise.all(names.map((name) => readLeft(join(folder, name))));
      return buffers
        .filter((buffer) => buffer !== undefined)
        .sort((a, b) => (a.records[0]?.arrivalMs ?? 0) - (b.records[0]?.arrivalMs ?? 0));
    },
    removeAll: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Undefined, and the file is removed, when it holds no whole record. */
async function readLeft(path: string): Promise<RecordBuffer | undefined> {
  const records = await readWriteAheadFile(path);
  if (records.length === 0) {
    await rm(path, { force: true });
    return undefined;
  }
  const file: WriteAheadFile = {
    append: () => Promise.reject(new TypeError('a buffer that was left takes no more records')),
    remove: () => rm(path, { force: true }),
    close: () => Promise.resolve(),
  };
  const buffer = recordBuffer(basename(path, SUFFIX), file);
  addRecords(buffer, records);
  return buffer;
}
