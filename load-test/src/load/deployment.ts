import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchPipeline } from '../running-pipeline.ts';
import { checkLoad, type LedgerFindings } from './ledger-check.ts';
import { type StageLog, stageLog } from './stage-log.ts';

/** Something that takes load: this project's pipeline, or another design on the same embedded AWS. */
export interface Deployment {
  readonly name: string;
  /** Variables by which everything finds it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Process id whose descendants, or it, are all of its processes. */
  readonly pid: number;
  readonly log: StageLog;
  /** True where it keeps shard progress, which says of every event when it was finished. */
  readonly hasProgress: boolean;
  /** What one must know to compare it. */
  readonly notes: readonly string[];
  startSimulator(...args: string[]): ChildProcess;
  check(work: CheckWork): Promise<LedgerFindings>;
  /** Ends all of its processes. */
  stop(): Promise<void>;
}

export interface CheckWork {
  readonly ledgerFiles: readonly string[];
  readonly folder: string;
  readonly acknowledged: number;
  readonly isOrdered: boolean;
  readonly archiveDeadlineMs: number;
}

export interface DeploymentOptions {
  readonly folder: string;
  readonly shardCount: number;
  readonly dynamodb: string;
}

/** A stop drains for 10 s, then asks one process after the other. */
const STOP_DEADLINE_MS = 60_000;

/** This project's pipeline, as `npm start` runs it. */
export async function deployTwinstream(options: DeploymentOptions): Promise<Deployment> {
  const { folder, shardCount, dynamodb } = options;
  const log = stageLog();
  const pipeline = await launchPipeline({
    folder,
    flags: ['--shards', String(shardCount), '--dynamodb', dynamodb],
    // The one summary line of each batch carries what is measured here.
    environment: { TWINSTREAM_LOG_LEVEL: 'info' },
    onErrorLine: (line) => log.take(line),
  });
  const { environment, pid } = pipeline;
  return {
    name: 'twinstream',
    environment,
    pid,
    log,
    hasProgress: true,
    notes: [],
    startSimulator: (...args) => pipeline.startSimulator(...args),
    check: (work) => checkLoad({ environment, ...work }),
    stop: async () => {
      const isLate = sleep(STOP_DEADLINE_MS, true, { ref: false });
      const stopped = pipeline.stop().then(() => false);
      // Its children end with it, however it ends.
      if (await Promise.race([stopped, isLate])) process.kill(pid, 'SIGKILL');
    },
  };
}
