import { hostname } from 'node:os';

/** What a replay's job tells of whether somebody is at work on it. */
export interface JobHeartbeat {
  readonly status: string;
  /** The process that runs it; absent before the first. */
  readonly runner?: JobProcess | undefined;
  /** When its runner last wrote it, milliseconds since 1970. */
  readonly updatedTime: number;
}

export interface JobProcess {
  readonly host: string;
  readonly pid: number;
}

/** A runner writes its job every two seconds, whatever it waits for. After this long without, it is gone or stuck. */
export const JOB_SILENT_MS = 15_000;

/** True while a runner seems to be at work: it has written lately, and if it is of this machine, its process exists. */
export function isJobAlive({ status, runner, updatedTime }: JobHeartbeat, nowMs: number): boolean {
  if (status !== 'running' || runner === undefined) return false;
  return nowMs - updatedTime < JOB_SILENT_MS && mayExist(runner);
}

/** False where a process of this machine is gone; true where it exists or is another machine's. */
export function mayExist({ host, pid }: JobProcess): boolean {
  if (host !== hostname()) return true;
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
