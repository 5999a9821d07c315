import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunSummary } from '@twinstream/device-simulator';
import { CodedError } from '@twinstream/runtime';
import { lastPlaces } from './ledger-tail.ts';
import type { LoadOptions } from './load-options.ts';
import type { Measurement } from './measurement.ts';
import { preciseNow } from './precise-now.ts';
import { finishedAtMs, type ProgressObserver } from './progress-observer.ts';
import { simulatorSummary } from './run-simulator.ts';
import { runSteps } from './run-steps.ts';
import { SCENARIOS } from './scenarios.ts';
import { warmUpRate } from './warm-up-rate.ts';

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
  const deadline = preciseNow() + options.drainDeadlineMs;
  const last = await lastPlaces(ledgerFile);
  const isDrained = () => {
    const projected = deployment.log?.totals['state-projector'].events ?? 0;
    if (!deployment.hasProgress) return projected >= acknowledged;
    return [...last].every(
      ([shard, place]) => finishedAtMs(progress.rises.get(shard) ?? [], place) !== undefined,
    );
  };
  while (!isDrained()) {
    if (preciseNow() > deadline) return undefined;
    await sleep(POLL_MS, undefined, { signal });
  }
  return preciseNow();
}
