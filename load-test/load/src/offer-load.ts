import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunSummary } from '@twinstream/device-simulator';
import { CodedError } from '@twinstream/runtime';
import { finished } from '@twinstream/test-kit';
import type { Deployment } from './deployment.ts';
import { lastPlaces } from './ledger-survey.ts';
import type { LoadOptions } from './load-options.ts';
import { warmUpRate } from './load-options.ts';
import { finishedAtMs, type ProgressObserver, preciseNow } from './observers.ts';
import { runSteps, SCENARIOS } from './scenarios.ts';

/** One load on one deployment, as the steps of measuring it share it. */
export interface Measurement {
  readonly deployment: Deployment;
  readonly options: LoadOptions;
  /** Temporary folder, for the ledger. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** Between two looks at whether all is finished. */
const POLL_MS = 50;
/** What the simulator may take beyond the duration for what is on its way. */
const SIMULATOR_DEADLINE_MS = 60_000;
/** Time without an answer of the stream after which the simulator gives an event up. */
const EVENT_DEADLINE = '45s';
/** Linger time of the producer: states lag by a second anyway, since mappings poll once a second. */
const AGGREGATE_LINGER = '200ms';
/** Of a warm-up and of the load that follows it: the load starts every device again. */
const SESSIONS = { warmUp: 1, load: 1_000 } as const;

/** Flags of the simulator for the load of these options, its scenario included. */
export function loadFlags({ deployment, options }: Measurement): readonly string[] {
  const shape = SCENARIOS[options.scenario].flags?.(options) ?? [];
  return [...gentleFlags(options, deployment.devicePrefix), '--session', String(SESSIONS.load), ...shape];
}

function gentleFlags(options: LoadOptions, devicePrefix: string): readonly string[] {
  const { deviceCount, rate, durationMs, seed, aggregate } = options;
  return [
    ...['--devices', String(deviceCount), '--rate', String(rate), '--duration', `${durationMs}ms`],
    ...['--seed', String(seed), '--deadline', EVENT_DEADLINE, '--output', 'json', '--no-progress'],
    ...(devicePrefix === '' ? [] : ['--device-prefix', devicePrefix]),
    ...(aggregate ? ['--aggregate', '--linger', AGGREGATE_LINGER] : []),
  ];
}

export interface OfferedLoad {
  readonly simulator: RunSummary;
  readonly endMs: number;
  /** What was done to the pipeline, and when. */
  readonly marks: readonly { readonly atMs: number; readonly what: string }[];
}

/** Offers the load while the scenario takes its steps. However it ends, no step is under way then. */
export async function offerLoad(measurement: Measurement, ledgerFile: string): Promise<OfferedLoad> {
  const { deployment, options, signal, say } = measurement;
  const child = deployment.startSimulator(...loadFlags(measurement), '--ledger', ledgerFile);
  const ending = new AbortController();
  const steps = runSteps(SCENARIOS[options.scenario].steps?.(options) ?? [], {
    site: deployment.site,
    durationMs: options.durationMs,
    // The simulator opens its ledger when it begins to send.
    hasBegun: () => existsSync(ledgerFile),
    onStep: (what) => say(`${deployment.name}: ${what}`),
    ending: ending.signal,
  });
  const stepsEnded = steps.catch(() => undefined);
  try {
    const deadlineMs = options.durationMs + SIMULATOR_DEADLINE_MS;
    const simulator = await simulatorSummary({ child, deadlineMs, signal });
    ending.abort();
    const endMs = preciseNow();
    return { simulator, endMs, marks: await steps };
  } finally {
    ending.abort();
    await stepsEnded;
  }
}

/** Sends a gentle load and waits until it is finished: every function has then started, on every shard. */
export async function warmUp(measurement: Measurement, progress: ProgressObserver) {
  const { deployment, options, folder, signal, say } = measurement;
  if (options.warmUpMs === 0) return { ledgerFiles: [], acknowledged: 0 };
  say(`${deployment.name}: warming up …`);
  const ledgerFile = join(folder, `${deployment.name}-warm-up.ndjson`);
  const gentle = { ...options, rate: warmUpRate(options.rate), durationMs: options.warmUpMs };
  const child = deployment.startSimulator(
    ...gentleFlags(gentle, deployment.devicePrefix),
    ...['--session', String(SESSIONS.warmUp), '--ledger', ledgerFile],
  );
  const deadlineMs = options.warmUpMs + SIMULATOR_DEADLINE_MS;
  const { acknowledged } = await simulatorSummary({ child, deadlineMs, signal });
  if ((await drain(measurement, ledgerFile, acknowledged, progress)) === undefined) {
    throw new CodedError(
      'NOT_WARM',
      `the warm-up was not finished within ${options.drainDeadlineMs / 1_000} s`,
    );
  }
  return { ledgerFiles: [ledgerFile], acknowledged };
}

/** When everything was finished; undefined when it was not before the deadline. */
export async function drain(
  { deployment, options, signal }: Measurement,
  ledgerFile: string,
  acknowledged: number,
  progress: ProgressObserver,
): Promise<number | undefined> {
  const deadlineAtMs = preciseNow() + options.drainDeadlineMs;
  const last = await lastPlaces(ledgerFile);
  const isDrained = () => {
    const projected = deployment.log?.totals['state-projector'].events ?? 0;
    if (!deployment.hasProgress) return projected >= acknowledged;
    return [...last].every(
      ([shard, place]) => finishedAtMs(progress.rises.get(shard) ?? [], place) !== undefined,
    );
  };
  while (!isDrained()) {
    if (preciseNow() > deadlineAtMs) return undefined;
    await sleep(POLL_MS, undefined, { signal });
  }
  return preciseNow();
}

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
