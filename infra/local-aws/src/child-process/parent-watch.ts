import { fstatSync } from 'node:fs';

/**
 * From the end of its parent until a process ends, whatever it is doing then. A process that nobody waits for has no reason to
 * deliver or to drain: a restart with the same data folder goes on from what is on disk, as after kill -9.
 */
export const ORPHAN_GRACE_MS = 1_000;

/**
 * Ends this process when its parent is gone: asks it to by `stop`, and exits with 1 where it still lives a second later. Gone
 * means that its IPC channel, or the pipe that is this process's standard input, has closed. A terminal, a file or /dev/null
 * as standard input is no parent and is not watched.
 */
export function endWithParent(stop: () => void): void {
  let told = false;
  const tell = () => {
    if (told) return;
    told = true;
    setTimeout(() => process.exit(1), ORPHAN_GRACE_MS).unref();
    stop();
  };
  if (process.connected) process.once('disconnect', tell);
  if (!standardInputIsPipe()) return;
  process.stdin.once('end', tell);
  process.stdin.once('close', tell);
  process.stdin.resume();
  // Watching must not keep alive a process that has nothing else to do.
  if ('unref' in process.stdin && typeof process.stdin.unref === 'function') process.stdin.unref();
}

function standardInputIsPipe(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    // A closed standard input cannot be a pipe.
    return false;
  }
}
