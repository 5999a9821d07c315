import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dynamoDbShardProgressTable } from '@twinstream/latest-state';
import { CodedError, dynamoDbClient } from '@twinstream/runtime';
import { readAccess } from './access.ts';
import type { Deployment } from './deployment.ts';
import { surveyLedger } from './ledger-survey.ts';
import { lastPlaces } from './ledger-tail.ts';
import { figuresOf, notesOf, OBSERVE_EVERY_MS } from './load-figures.ts';
import type { LoadOptions } from './load-options.ts';
import type { SubjectResult } from './load-result.ts';
import { loadSeries, processFigures } from './load-series.ts';
import { localLoadSite } from './load-site.ts';
import { preciseNow } from './precise-now.ts';
import { processLister, processSampler } from './process-sampler.ts';
import { finishedAtMs, type ProgressObserver, progressObserver } from './progress-observer.ts';
import { repeatedly } from './repeatedly.ts';
import { simulatorSummary } from './run-simulator.ts';
import { runSteps } from './run-steps.ts';
import { sampleDevices } from './sampled-devices.ts';
import { SCENARIOS } from './scenarios.ts';
import { skewOf } from './skew.ts';
import { stateObserver } from './state-observer.ts';

/** Devices whose state is read, besides hot ones. */
const SAMPLED_DEVICES = 20;
/** Events per second of a warm-up at most. */
const WARM_UP_RATE_MAX = 500;
const SAMPLE_PROCESSES_EVERY_MS = 1_000;
/** Between two looks at whether all is finished. */
const POLL_MS = 50;
/** What the simulator may take beyond the duration for what is on its way. */
const SIMULATOR_DEADLINE_MS = 60_000;
/** After this without an answer of the stream, the simulator gives an event up. */
const EVENT_DEADLINE = '45s';

export interface Measurement {
  readonly deployment: Deployment;
  readonly options: LoadOptions;
  /** Temporary folder, for the ledger. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** Offers the load, lets it drain, checks the ledger and measures. Rejects when any of it cannot be done. */
export async function measureLoad(measurement: Measurement): Promise<SubjectResult> {
  const { deployment, options, folder, signal, say } = measurement;
  const access = readAccess(deployment.environment);
  const scenario = SCENARIOS[options.scenario];
  const ledgerFile = join(folder, `${deployment.name}.ndjson`);
  const flags = [...simulatorFlags(options), '--session', '1000', ...(scenario.flags?.(options) ?? [])];
  const sampled = sampleDevices(
    { deviceCount: options.deviceCount, seed: options.seed, skew: skewOf(flags) },
    SAMPLED_DEVICES,
  );
  const dynamoDb = dynamoDbClient({ ...access.client, endpoint: access.endpoints.dynamoDb });
  const list = processLister();
  const site = localLoadSite({
    access,
    faultsUrl: deployment.environment.TWINSTREAM_FAULTS_URL ?? '',
    pipelinePid: deployment.pid,
    list,
  });
  const states = stateObserver({
    client: dynamoDb,
    tableName: access.deviceStateTable,
    deviceIds: [...sampled.hot, ...sampled.others],
    now: preciseNow,
  });
  const progress = progressObserver({
    table: dynamoDbShardProgressTable(dynamoDb, { tableName: access.shardProgressTable }),
    streamName: access.stream,
    now: preciseNow,
  });
  const processes = processSampler({ list, now: preciseNow, rootPid: process.pid });
  const looking = [
    repeatedly(OBSERVE_EVERY_MS, () => states.observe()),
    ...(deployment.hasProgress ? [repeatedly(OBSERVE_EVERY_MS, () => progress.observe())] : []),
  ];
  try {
    const warmUp = await warm(measurement, progress);
    deployment.log.restart();
    looking.push(repeatedly(SAMPLE_PROCESSES_EVERY_MS, () => processes.sample()));
    say(`${deployment.name}: offering ${options.rate} events/s for ${options.durationMs / 1_000} s …`);
    const child = deployment.startSimulator(...flags, '--ledger', ledgerFile);
    const ending = new AbortController();
    const steps = runSteps(scenario.steps?.(options) ?? [], {
      site,
      durationMs: options.durationMs,
      // The simulator opens its ledger when it begins to send.
      hasBegun: () => existsSync(ledgerFile),
      ending: ending.signal,
    });
    // Awaited below; a failure must not end the process meanwhile.
    steps.catch(() => undefined);
    const simulator = await simulatorSummary({
      child,
      deadlineMs: options.durationMs + SIMULATOR_DEADLINE_MS,
      signal,
    });
    ending.abort();
    const loadEndMs = preciseNow();
    const marks = await steps;
    await site.restore();
    say(`${deployment.name}: ${simulator.acknowledged} events taken; draining …`);
    const drained = await drain(measurement, ledgerFile, simulator.acknowledged, progress);
    // One more look, so that what was finished last is seen.
    await states.observe();
    for (const look of looking) look.stop();
    await Promise.all(looking.map((look) => look.stopped));
    say(`${deployment.name}: checking the ledger …`);
    const survey = await surveyLedger(ledgerFile, {
      sampled,
      states: states.observations,
      ...(deployment.hasProgress ? { progress: progress.rises } : {}),
    });
    const ledger = await deployment.check({
      ledgerFiles: [ledgerFile, ...warmUp.ledgerFiles],
      folder,
      acknowledged: survey.events + survey.malformed + warmUp.acknowledged,
      // An event whose fate is not known may come to light after later ones.
      isOrdered: survey.failed === 0,
      archiveDeadlineMs: Date.now() + options.drainDeadlineMs,
    });
    const startMs = survey.firstDueMs;
    const figures = figuresOf({
      deployment,
      options,
      simulator,
      survey,
      ledger,
      startMs,
      loadEndMs,
      drainedMs: drained,
      lags: progress.lags,
      processes: processes.samples,
    });
    const failures = looking.reduce((sum, look) => sum + look.failures(), 0);
    return {
      subject: deployment.name,
      figures,
      ledger,
      simulator,
      processes: processFigures(processes.samples, loadEndMs),
      series: loadSeries({
        startMs,
        endMs: drained ?? preciseNow(),
        survey,
        log: deployment.log,
        lags: progress.lags,
        processes: processes.samples,
        marks,
      }),
      notes: notesOf(deployment, survey, drained, failures),
    };
  } finally {
    for (const look of looking) look.stop();
    await Promise.all(looking.map((look) => look.stopped));
    site.close();
    dynamoDb.destroy();
  }
}

function simulatorFlags(options: LoadOptions): readonly string[] {
  const { deviceCount, rate, durationMs, seed, aggregate } = options;
  return [
    ...['--devices', String(deviceCount), '--rate', String(rate), '--duration', `${durationMs}ms`],
    ...['--seed', String(seed), '--deadline', EVENT_DEADLINE, '--output', 'json', '--no-progress'],
    ...(aggregate ? ['--aggregate'] : []),
  ];
}

/** Sends a gentle load and waits until it is finished: every function has then started, on every shard. */
async function warm(measurement: Measurement, progress: ProgressObserver) {
  const { deployment, options, folder, signal, say } = measurement;
  if (options.warmUpMs === 0) return { ledgerFiles: [], acknowledged: 0 };
  say(`${deployment.name}: warming up …`);
  const ledgerFile = join(folder, `${deployment.name}-warm-up.ndjson`);
  const gentle = { ...options, rate: Math.min(options.rate, WARM_UP_RATE_MAX), durationMs: options.warmUpMs };
  const child = deployment.startSimulator(
    ...simulatorFlags(gentle),
    // Below the sessions of the load, which begins every device anew.
    ...['--session', '1', '--ledger', ledgerFile],
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
async function drain(
  { deployment, options, signal }: Measurement,
  ledgerFile: string,
  acknowledged: number,
  progress: ProgressObserver,
): Promise<number | undefined> {
  const deadline = preciseNow() + options.drainDeadlineMs;
  const last = await lastPlaces(ledgerFile);
  const isDrained = () => {
    if (!deployment.hasProgress) return deployment.log.totals['state-projector'].events >= acknowledged;
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
