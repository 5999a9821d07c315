import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@twinstream/runtime';
import { type ProcessLock, takeLock } from '../child-process/process-lock.ts';

/** File in a stream's data folder that keeps it to one server. */
export const STREAM_LOCK = 'lock';

/** Locks a folder for this process; one whose owner was killed is free. Throws `DATA_DIR_IN_USE`. */
export function lockDataFolder(folder: string): ProcessLock {
  const taken = takeLock(join(realpathSync(folder), STREAM_LOCK));
  if ('lock' in taken) return taken.lock;
  const owner = taken.owner === undefined ? 'another process' : `process ${taken.owner}`;
  throw new CodedError('DATA_DIR_IN_USE', `${owner} already uses the data folder ${folder}`);
}
