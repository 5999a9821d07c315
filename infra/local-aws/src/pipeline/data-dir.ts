import { accessSync, constants, mkdirSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CodedError, systemClock } from '@twinstream/runtime';
import { engineLock } from '../child-process/engine-folder.ts';
import { ORPHAN_GRACE_MS } from '../child-process/parent-watch.ts';
import { lockOwner, type ProcessLock, takeLock } from '../child-process/process-lock.ts';
import { STREAM_LOCK } from '../kinesis/data-folder-lock.ts';

/** Parts of an earlier pipeline end {@link ORPHAN_GRACE_MS} after it; a busy machine takes longer over it. */
const ENGINES_GONE_DEADLINE_MS = 20 * ORPHAN_GRACE_MS;
const POLL_MS = 100;

/** The folder that keeps a pipeline across restarts, kept to this one. */
export interface DataDir {
  readonly path: string;
  readonly lock: ProcessLock;
}

/**
 * Takes the folder of `--data-dir`. Where parts of a pipeline that was killed still end, it says so and waits for them.
 *
 * Throws `DATA_DIR_UNWRITABLE`, or `DATA_DIR_IN_USE` where another pipeline runs on it or its parts do not end.
 */
export async function takeDataDir(folder: string, say: (line: string) => void): Promise<DataDir> {
  const path = writableFolder(folder);
  const taken = takeLock(join(path, 'pipeline.lock'));
  if (!('lock' in taken)) {
    const owner = taken.owner === undefined ? 'another one' : `process ${taken.owner}`;
    throw new CodedError('DATA_DIR_IN_USE', `a pipeline runs on the data folder ${path} already: ${owner}`);
  }
  try {
    await untilEnginesAreGone(path, say);
  } catch (error) {
    taken.lock.release();
    throw error;
  }
  return { path, lock: taken.lock };
}

/** Locks that the engines of a pipeline hold in its folder. */
function engineLocks(path: string): readonly string[] {
  return [
    join(path, 'kinesis', STREAM_LOCK),
    ...['dynamodb', 's3'].map((engine) => engineLock(join(path, engine))),
  ];
}

async function untilEnginesAreGone(path: string, say: (line: string) => void): Promise<void> {
  const deadlineMs = Date.now() + ENGINES_GONE_DEADLINE_MS;
  let isSaid = false;
  while (true) {
    const owners = engineLocks(path).flatMap((lock) => lockOwner(lock) ?? []);
    if (owners.length === 0) return;
    const told = owners.map((pid) => `process ${pid}`).join(', ');
    if (Date.now() > deadlineMs) {
      throw new CodedError('DATA_DIR_IN_USE', `${told} of an earlier pipeline still uses ${path}`);
    }
    if (!isSaid) say(`waiting for the end of an earlier pipeline, which still uses ${path}: ${told} …`);
    isSaid = true;
    await systemClock.sleep(POLL_MS);
  }
}

function writableFolder(path: string): string {
  const folder = resolve(path);
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return realpathSync(folder);
  } catch (error) {
    throw new CodedError('DATA_DIR_UNWRITABLE', `--data-dir ${folder} is not a writable folder`, {
      cause: error,
    });
  }
}
