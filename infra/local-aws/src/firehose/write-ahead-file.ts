import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** A record with the time it was taken. */
export interface ArrivedRecord {
  readonly arrivalMs: number;
  readonly data: Buffer;
}

/** Length and checksum of what follows (32 bits each), then the arrival (a double) and the data. */
const HEAD_BYTES = 8;
const ARRIVAL_BYTES = 8;

/** The records of one buffer on disk, so that a kill loses nothing that was acknowledged. */
export interface WriteAheadFile {
  /** Resolves when the records survive this process (not a loss of power). */
  append(records: readonly ArrivedRecord[]): Promise<void>;
  /** Forgets the records: they are delivered. */
  remove(): Promise<void>;
  /** Keeps the file for a later start. */
  close(): Promise<void>;
}

export async function createWriteAheadFile(path: string): Promise<WriteAheadFile> {
  const file: FileHandle = await open(path, 'a');
  let bytes = 0;
  let appended: Promise<void> = Promise.resolve();
  const append = async (records: readonly ArrivedRecord[]) => {
    const frames = Buffer.concat(records.flatMap(frame));
    try {
      await file.appendFile(frames);
      bytes += frames.length;
    } catch (error) {
      // Half a frame in the middle would hide all that follows it.
      await file.truncate(bytes);
      throw error;
    }
  };
  return {
    append: (records) => {
      // One after the other, so that a kill can only tear the last.
      const done = appended.then(() => append(records));
      appended = done.catch(() => undefined);
      return done;
    },
    remove: async () => {
      await appended;
      await file.close();
      await rm(path, { force: true });
    },
    close: async () => {
      await appended;
      await file.close();
    },
  };
}

function frame({ arrivalMs, data }: ArrivedRecord): readonly Buffer[] {
  const head = Buffer.alloc(HEAD_BYTES + ARRIVAL_BYTES);
  head.writeDoubleBE(arrivalMs, HEAD_BYTES);
  head.writeUInt32BE(ARRIVAL_BYTES + data.length, 0);
  head.writeUInt32BE(crc32(data, crc32(head.subarray(HEAD_BYTES))), 4);
  return [head, data];
}

/** The records of a file that another process left, up to the first that was not written whole: it was not acknowledged. */
export async function readWriteAheadFile(path: string): Promise<readonly ArrivedRecord[]> {
  const bytes = await readFile(path);
  const records: ArrivedRecord[] = [];
  let offset = 0;
  while (offset + HEAD_BYTES + ARRIVAL_BYTES <= bytes.length) {
    const length = bytes.readUInt32BE(offset);
    const body = bytes.subarray(offset + HEAD_BYTES, offset + HEAD_BYTES + length);
    if (body.length < length || crc32(body) !== bytes.readUInt32BE(offset + 4)) break;
    records.push({ arrivalMs: body.readDoubleBE(0), data: body.subarray(ARRIVAL_BYTES) });
    offset += HEAD_BYTES + length;
  }
  return records;
}
