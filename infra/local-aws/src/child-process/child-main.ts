import { CodedError } from '@twinstream/runtime';
import { endWithParent } from './parent-watch.ts';
import { tellParent } from './ready-message.ts';

/** What a child serves. */
export interface Served {
  readonly url: string;
  /** Process that serves, where it is not this one. */
  readonly pid?: number;
  close(): Promise<void>;
}

/**
 * The life of a child process: starts, tells its parent, and ends with 0 after SIGTERM or the end of its parent. An error at the start is told to the parent and ends the process with 1.
 */
export async function runChildMain(start: () => Promise<Served>): Promise<void> {
  let served: Served | undefined;
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    void (served?.close() ?? Promise.resolve()).then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGTERM', stop);
  // Ctrl-C reaches the whole process group; a child waits for its parent, which may have things to drain first.
  process.on('SIGINT', () => {
    if (!process.connected) stop();
  });
  endWithParent(stop);
  try {
    served = await start();
    if (stopping) await served.close();
    else await tellParent({ kind: 'ready', url: served.url, pid: served.pid ?? process.pid });
  } catch (error) {
    const code = error instanceof CodedError ? error.code : 'CHILD_NOT_READY';
    const message = error instanceof Error ? error.message : String(error);
    // The parent may be gone, and then nobody is left to tell.
    await tellParent({ kind: 'failed', code, message }).catch(() => undefined);
    fail(error);
  }
}

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}
