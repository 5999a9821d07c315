import { readFileSync, realpathSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@twinstream/runtime';

const LOCK = 'lock';
const TOUCH_EVERY_MS = 2_000;
/** A lock that was not touched for so long has no owner, whatever process has its number now. */
const STALE_AFTER_MS = 10_000;

/** Folders locked by this process, by their real path. */
const held = new Set<string>();

/** Keeps a data folder to one server. */
export interface DataFolderLock {
  release(): void;
}

/**
 * Locks a folder with a file that names this process and is touched while it lives, so that one which was killed
 * leaves nothing to clean up. Throws `DATA_DIR_IN_USE`.
 */
export function lockDataFolder(folder: string): DataFolderLock {
  const real = realpathSync(folder);
  const path = join(real, LOCK);
  const owner = held.has(real) ? process.pid : liveOwner(path);
  if (owner !== undefined) {
    throw new CodedError('DATA_DIR_IN_USE', `process ${owner} already uses the data folder ${folder}`);
  }
  rmSync(path, { force: true });
  create(path, folder);
  held.add(real);
  const touching = setInterval(() => touch(path, () => clearInterval(touching)), TOUCH_EVERY_MS);
  touching.unref();
  return {
    release: () => {
      clearInterval(touching);
      held.delete(real);
      rmSync(path, { force: true });
    },
  };
}

/** Exclusive, so that of two processes which found no owner at once only one goes on. */
function create(path: string, folder: string): void {
  try {
    writeFileSync(path, `${process.pid}\n`, { flag: 'wx' });
  } catch (error) {
    throw new CodedError('DATA_DIR_IN_USE', `another process just took the data folder ${folder}`, {
      cause: error,
    });
  }
}

/** A lock that cannot be touched was deleted with its folder: then writes there fail and say so, and this ends. */
function touch(path: string, end: () => void): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    end();
  }
}

/** The process that holds the lock; undefined when none does, or none that lives. */
function liveOwner(path: string): number | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || Date.now() - stats.mtimeMs > STALE_AFTER_MS) return undefined;
  const owner = Number(readFileSync(path, 'utf8'));
  if (!Number.isInteger(owner) || owner <= 0 || owner === process.pid) return undefined;
  return isAlive(owner) ? owner : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
