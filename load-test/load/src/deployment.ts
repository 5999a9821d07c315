import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Access, launchPipeline, localAccess } from '@twinstream/end-to-end';
import type { LedgerCheckOptions } from './ledger-check.ts';
import { checkLoad, type LedgerFindings } from './ledger-check.ts';
import type { LoadSite } from './load-site.ts';
import { localLoadSite } from './load-site.ts';
import { type StageLog, stageLog } from './stage-log.ts';

/** Something that takes load: this project's pipeline, here or on AWS, or another design on the same embedded AWS. */
export interface Deployment {
  readonly name: string;
  readonly access: Access;
  readonly site: LoadSite;
  /** Begins the names of the devices that a load speaks for; empty where the pipeline has no others. */
  readonly devicePrefix: string;
  /** What its functions say; absent where that cannot be read. */
  readonly log?: StageLog;
  /** True where its processes descend from this one, so that their time and memory can be seen. */
  readonly runsHere: boolean;
  /** True where it keeps shard progress, which says of every event when it was finished. */
  readonly hasProgress: boolean;
  /** What one must know to compare it. */
  readonly notes: readonly string[];
  startSimulator(...args: string[]): ChildProcess;
  check(work: CheckWork): Promise<LedgerFindings>;
  /**
   * Leaves nothing behind: ends all processes that were started, puts back what a scenario has changed. Rejects where that
   * cannot be done.
   */
  stop(): Promise<void>;
}

/** What is checked, but for where. */
export type CheckWork = Omit<LedgerCheckOptions, 'access' | 'sharedSinceMs'>;

export interface DeploymentOptions {
  /** Temporary folder. */
  readonly folder: string;
  readonly shardCount: number;
  readonly dynamodb: 'dynalite' | 'java';
  /** How long the functions wait for a fuller batch. */
  readonly windowMs: number;
}

/** A stop drains for 10 s, then asks one process after the other. */
const STOP_DEADLINE_MS = 60_000;

/** This project's pipeline, as `npm start` runs it. */
export async function deployTwinstream(options: DeploymentOptions): Promise<Deployment> {
  const { folder, shardCount, dynamodb, windowMs } = options;
  const log = stageLog();
  const pipeline = await launchPipeline({
    folder,
    flags: ['--shards', String(shardCount), '--dynamodb', dynamodb, '--window', `${windowMs}ms`],
    // The one summary line of each batch carries what is measured here.
    environment: { TWINSTREAM_LOG_LEVEL: 'info' },
    onErrorLine: (line) => log.take(line),
  });
  const { environment, pid } = pipeline;
  const access = localAccess(environment);
  const faultsUrl = environment.TWINSTREAM_FAULTS_URL ?? '';
  const site = localLoadSite({ access, faultsUrl, pipelinePid: pid });
  return {
    name: 'twinstream',
    access,
    site,
    devicePrefix: '',
    log,
    runsHere: true,
    hasProgress: true,
    notes: [],
    startSimulator: (...args) => pipeline.startSimulator(...args),
    check: (work) => checkLoad({ access, ...work }),
    stop: async () => {
      site.close();
      const isLate = sleep(STOP_DEADLINE_MS, true, { ref: false });
      const stopped = pipeline.stop().then(() => false);
      // Its children end with it, however it ends.
      if (await Promise.race([stopped, isLate])) process.kill(pid, 'SIGKILL');
    },
  };
}
