import { open, rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** At most one write in this time, however often the content changes. */
const WRITE_INTERVAL_MS = 100;

/** Writes one small file that changes often. */
export interface CoalescedFileWriter {
  /** The content is no longer what was written: it will be written soon. */
  changed(): void;
  /** Resolves when the content is on disk; rejects when it cannot be written. */
  flush(): Promise<void>;
}

/**
 * Replaces `path` as a whole by a file that is complete on disk, so that a kill or a loss of power leaves the old
 * content or the new one. Changes within 100 ms share a write. A write that fails is told to `onError` and tried again
 * at the next change.
 */
export function coalescedFileWriter(
  path: string,
  content: () => string,
  onError: (error: unknown) => void,
): CoalescedFileWriter {
  let dirty = false;
  let writing: Promise<void> | undefined;

  const write = async () => {
    while (dirty) {
      dirty = false;
      try {
        await replaceFile(path, content());
      } catch (error) {
        dirty = true;
        throw error;
      }
      if (dirty) await sleep(WRITE_INTERVAL_MS);
    }
  };
  const start = (): Promise<void> => {
    writing ??= write().finally(() => {
      writing = undefined;
    });
    return writing;
  };
  return {
    changed: () => {
      dirty = true;
      start().catch(onError);
    },
    flush: async () => {
      while (dirty || writing !== undefined) await start();
    },
  };
}

async function replaceFile(path: string, text: string): Promise<void> {
  const next = `${path}.next`;
  const file = await open(next, 'w');
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(next, path);
}
