import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';

const TOUCH_EVERY_MS = 2_000;
/** A lock that was not touched for so long has no owner, whatever process has its number now. */
const STALE_AFTER_MS = 10_000;

/** Paths locked by this process. */
const held = new Set<string>();

/** Keeps what a path stands for to one process. */
export interface ProcessLock {
  release(): void;
}

/**
 * Takes the lock that a file at `path` is: it names this process and is touched while the process lives, so that one which
 * was killed leaves nothing to clean up. `owner` is the process that has it instead; undefined where another took it at this
 * very moment.
 */
export function takeLock(
  path: string,
): { readonly lock: ProcessLock } | { readonly owner: number | undefined } {
  const owner = lockOwner(path);
  if (owner !== undefined) return { owner };
  rmSync(path, { force: true });
  try {
    // Exclusive, so that of two processes which concurrently found no owner only one goes on.
    writeFileSync(path, `${process.pid}\n`, { flag: 'wx' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return { owner: undefined };
    throw error;
  }
  held.add(path);
  const touching = setInterval(() => touch(path, () => clearInterval(touching)), TOUCH_EVERY_MS);
  touching.unref();
  const release = () => {
    clearInterval(touching);
    held.delete(path);
    rmSync(path, { force: true });
  };
  return { lock: { release } };
}

/** The process that holds the lock; undefined when none does, or none that lives. */
export function lockOwner(path: string): number | undefined {
  if (held.has(path)) return process.pid;
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || Date.now() - stats.mtimeMs > STALE_AFTER_MS) return undefined;
  const owner = Number(readIfThere(path));
  if (!Number.isInteger(owner) || owner <= 0 || owner === process.pid) return undefined;
  return isAlive(owner) ? owner : undefined;
}

/** Its owner may release it at any moment. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
