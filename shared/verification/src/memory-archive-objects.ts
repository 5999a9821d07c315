import { gzipSync } from 'node:zlib';
import { type ArchiveObjects, gunzipped } from './archive-objects.ts';

/** An archive that lives as long as the process, for tests. */
export interface MemoryArchive extends ArchiveObjects {
  /** Stores lines as Firehose does. */
  put(key: string, lines: readonly string[]): void;
  /** Stores bytes as they are. */
  putBytes(key: string, bytes: Uint8Array): void;
}

/** Lists every object, whatever the window. */
export function memoryArchiveObjects(): MemoryArchive {
  const objects = new Map<string, Uint8Array>();
  return {
    put: (key, lines) => {
      objects.set(key, gzipSync(lines.map((line) => `${line}\n`).join('')));
    },
    putBytes: (key, bytes) => {
      objects.set(key, bytes);
    },
    list: async function* () {
      for (const [key, bytes] of objects) yield { key, bytes: bytes.length };
    },
    read: (key) => gunzipped(bytesOf(objects.get(key) ?? new Uint8Array())),
  };
}

async function* bytesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
