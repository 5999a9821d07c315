import { fstatSync } from 'node:fs';

/**
 * Calls `onGone` once when the parent process is gone: its IPC channel, or the pipe that is this process's standard
 * input, has closed. A terminal, a file or /dev/null as standard input is no parent and is not watched.
 */
export function watchParent(onGone: () => void): void {
  let told = false;
  const tell = () => {
    if (told) return;
    told = true;
    onGone();
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
