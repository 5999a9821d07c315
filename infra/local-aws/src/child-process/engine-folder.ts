import { mkdirSync } from 'node:fs';
import { CodedError } from '@twinstream/runtime';
import { takeLock } from './process-lock.ts';

/** File beside an engine's folder that keeps it to one process. */
export function engineLock(folder: string): string {
  return `${folder}.lock`;
}

/** Creates the folder of an engine and keeps it to this process for its life. Throws `DATA_DIR_IN_USE`. */
export function takeEngineFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const taken = takeLock(engineLock(folder));
  if ('lock' in taken) {
    process.once('exit', () => taken.lock.release());
    return;
  }
  const owner = taken.owner === undefined ? 'another process' : `process ${taken.owner}`;
  throw new CodedError('DATA_DIR_IN_USE', `${owner} already uses the data folder ${folder}`);
}
