import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@twinstream/runtime';
import type { ProcessLock } from '../child-process/process-lock.ts';
import { lockDataFolder } from './data-folder-lock.ts';
import { type StreamDocument, streamDocument } from './stream-document.ts';

const STREAMS = 'streams';
const DOCUMENT = 'stream.json';
/** Begins the names of folders that are not yet, or no longer, a stream's. No stream name holds a `~`. */
const UNFINISHED = '~';

/** Streams on disk: `streams/<name>@<created ms>/stream.json` and beside it a folder of segments for each shard. */
export interface DataFolder {
  readonly lock: ProcessLock;
  readonly streamsFolder: string;
}

type StreamIdentity = Pick<StreamDocument, 'name' | 'createdMs'>;

/** Throws `DATA_DIR_IN_USE` when another server has it, `DATA_DIR_UNWRITABLE` when it cannot be written. */
export function openDataFolder(path: string): DataFolder {
  const streamsFolder = join(path, STREAMS);
  try {
    mkdirSync(streamsFolder, { recursive: true });
    const lock = lockDataFolder(path);
    for (const name of readdirSync(streamsFolder)) {
      if (name.startsWith(UNFINISHED)) rmSync(join(streamsFolder, name), { recursive: true });
    }
    return { lock, streamsFolder };
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError('DATA_DIR_UNWRITABLE', `the data folder ${path} cannot be written`, {
      cause: error,
    });
  }
}

/** Throws `KINESIS_STREAM_DOCUMENT_INVALID` when a stream's document cannot be read. */
export function readStreamDocuments({ streamsFolder }: DataFolder): readonly StreamDocument[] {
  return readdirSync(streamsFolder).map((folder) => {
    const path = join(streamsFolder, folder, DOCUMENT);
    try {
      return streamDocument.parse(JSON.parse(readFileSync(path, 'utf8')));
    } catch (error) {
      throw new CodedError('KINESIS_STREAM_DOCUMENT_INVALID', `${path} cannot be read`, { cause: error });
    }
  });
}

export function streamFolder({ streamsFolder }: DataFolder, { name, createdMs }: StreamIdentity): string {
  return join(streamsFolder, `${name}@${createdMs}`);
}

/** Replaces a stream's document as a whole, and creates its folder when it has none: after a crash the old or the new is there. */
export function writeStreamDocument(data: DataFolder, document: StreamDocument, isNew: boolean): void {
  const folder = streamFolder(data, document);
  const text = `${JSON.stringify(document, null, 2)}\n`;
  if (isNew) {
    const unfinished = join(data.streamsFolder, `${UNFINISHED}new-${document.createdMs}`);
    mkdirSync(unfinished, { recursive: true });
    writeFileSync(join(unfinished, DOCUMENT), text);
    renameSync(unfinished, folder);
    return;
  }
  const unfinished = join(folder, `${UNFINISHED}${DOCUMENT}`);
  writeFileSync(unfinished, text);
  renameSync(unfinished, join(folder, DOCUMENT));
}

/** After a crash the stream is there or is not; a rest of it is deleted when the data folder is opened again. */
export function deleteStreamFolder(data: DataFolder, stream: StreamIdentity): void {
  const deleted = join(data.streamsFolder, `${UNFINISHED}deleted-${stream.name}@${stream.createdMs}`);
  renameSync(streamFolder(data, stream), deleted);
  rmSync(deleted, { recursive: true });
}
