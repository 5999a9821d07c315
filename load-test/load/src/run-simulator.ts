import type { ChildProcess } from 'node:child_process';
import type { RunSummary } from '@twinstream/device-simulator';
import { CodedError } from '@twinstream/runtime';
import { finished } from '@twinstream/test-kit';

export interface SimulatorRun {
  readonly child: ChildProcess;
  /** When it must have ended, in milliseconds from now: then it is asked to, and soon after killed. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** From being asked to end until it is killed. */
const GRACE_MS = 10_000;

/** Waits for a simulator and reads its summary. Rejects with `SIMULATOR_FAILED` when there is none, and when aborted. */
export async function simulatorSummary({ child, deadlineMs, signal }: SimulatorRun): Promise<RunSummary> {
  const ask = () => {
    child.kill('SIGINT');
    kill = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  };
  let kill: NodeJS.Timeout | undefined;
  const deadline = setTimeout(ask, deadlineMs);
  signal.addEventListener('abort', ask, { once: true });
  try {
    const { stdout, stderr, code } = await finished(child);
    signal.throwIfAborted();
    const summary = readSummary(stdout);
    if (summary === undefined) {
      throw new CodedError(
        'SIMULATOR_FAILED',
        `the simulator ended with ${code}: ${stderr.trim().slice(-2_000)}`,
      );
    }
    return summary;
  } finally {
    clearTimeout(deadline);
    clearTimeout(kill);
    signal.removeEventListener('abort', ask);
  }
}

function readSummary(stdout: string): RunSummary | undefined {
  if (!stdout.trimStart().startsWith('{')) return undefined;
  return JSON.parse(stdout);
}
