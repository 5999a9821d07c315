import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunSummary } from '@twinstream/device-simulator';
import { dynamoDbShardProgressTable } from '@twinstream/latest-state';
import { CodedError, dynamoDbClient } from '@twinstream/runtime';
import { readAccess } from './access.ts';
import type { Deployment } from './deployment.ts';
import type { Figures } from './figures.ts';
import type { LedgerFindings } from './ledger-check.ts';
import { type LedgerSurvey, surveyLedger } from './ledger-survey.ts';
import { lastPlaces } from './ledger-tail.ts';
import type { LoadOptions } from './load-options.ts';
import type { SubjectResult } from './load-result.ts';
import { lagMsOf, loadSeries, processFigures, round, totalMemoryMaxMiB } from './load-series.ts';
import { type LoadSite, localLoadSite } from './load-site.ts';
import { type ProcessSample, processLister, processSampler } from './process-sampler.ts';
import {
  finishedAtMs,
  type LagSample,
  type ProgressObserver,
  progressObserver,
} from './progress-observer.ts';
import { repeatedly } from './repeatedly.ts';
import { simulatorSummary } from './run-simulator.ts';
import { sampleDevices } from './sampled-devices.ts';
import { SCENARIOS, type Step } from './scenarios.ts';
import { skewOf } from './skew.ts';
import { stateObserver } from './state-observer.ts';

/** Between two looks at states and progress: the resolution of the latencies. */
export const OBSERVE_EVERY_MS = 100;
/** Devices whose state is read, besides hot ones. */
export const SAMPLED_DEVICES = 20;
/** Events per second of a warm-up at most. */
const WARM_UP_RATE_MAX = 500;
const SAMPLE_PROCESSES_EVERY_MS = 1_000;
const DRAIN_POLL_MS = 50;
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
    const startMs = preciseNow();
    const child = deployment.startSimulator(...flags, '--ledger', ledgerFile);
    const ending = new AbortController();
    const steps = runSteps(scenario.steps?.(options) ?? [], site, startMs, options.durationMs, ending.signal);
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

/** Milliseconds since 1970, with fractions, as the simulator's ledger has them. */
function preciseNow(): number {
  return performance.timeOrigin + performance.now();
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

/** Takes the steps at their times. A step that fails is the scenario's failure: what it was to show was not shown. */
async function runSteps(
  steps: readonly Step[],
  site: LoadSite,
  startMs: number,
  durationMs: number,
  ending: AbortSignal,
): Promise<readonly { atMs: number; what: string }[]> {
  const marks: { atMs: number; what: string }[] = [];
  for (const { at, what, act } of steps) {
    const waitMs = startMs + at * durationMs - preciseNow();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: ending }).catch(() => undefined);
    if (ending.aborted) break;
    marks.push({ atMs: preciseNow(), what });
    await act(site);
  }
  return marks;
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
    await sleep(DRAIN_POLL_MS, undefined, { signal });
  }
  return preciseNow();
}

interface FigureSources {
  readonly deployment: Deployment;
  readonly options: LoadOptions;
  readonly simulator: RunSummary;
  readonly survey: LedgerSurvey;
  readonly ledger: LedgerFindings;
  readonly startMs: number;
  readonly loadEndMs: number;
  readonly drainedMs: number | undefined;
  readonly lags: readonly LagSample[];
  readonly processes: readonly ProcessSample[];
}

function figuresOf(sources: FigureSources): Figures {
  const { deployment, options, simulator, survey, ledger, loadEndMs, drainedMs } = sources;
  const { 'state-projector': projector, 'event-archiver': archiver } = deployment.log.totals;
  const perSecond = (events: number, untilMs: number | undefined): number | null =>
    untilMs === undefined || untilMs <= survey.firstDueMs
      ? null
      : round((events * 1_000) / (untilMs - survey.firstDueMs));
  const ms = (value: number | undefined): number | null => (value === undefined ? null : round(value));
  const cpu = processFigures(sources.processes, loadEndMs).reduce(
    (sum, { cpuSeconds }) => sum + cpuSeconds,
    0,
  );
  const { readable } = survey;
  return {
    offeredPerSecond: round((simulator.scheduled * 1_000) / options.durationMs),
    acknowledgedPerSecond: perSecond(survey.events + survey.malformed, survey.lastAcknowledgedMs),
    projectedPerSecond: perSecond(projector.events, projector.lastMs),
    archivedPerSecond: perSecond(archiver.events, archiver.lastMs),
    // An event that never became readable has no latency, and no percentile may pass it over.
    p50Ms: survey.neverReadable > 0 ? null : ms(readable?.p50),
    p95Ms: survey.neverReadable > 0 ? null : ms(readable?.p95),
    p99Ms: survey.neverReadable > 0 ? null : ms(readable?.p99),
    maxMs: survey.neverReadable > 0 ? null : ms(readable?.max),
    finishedP99Ms: survey.neverFinished > 0 ? null : ms(survey.finished?.p99),
    finishedMaxMs: survey.neverFinished > 0 ? null : ms(survey.finished?.max),
    ackP99Ms: ms(survey.acknowledged?.p99),
    lagMaxMs:
      sources.lags.length === 0
        ? null
        : round(sources.lags.reduce((most, lag) => Math.max(most, lagMsOf(lag, survey, sources.startMs)), 0)),
    drainMs: drainedMs === undefined ? null : round(drainedMs - loadEndMs),
    eventsPerPage: projector.pages === 0 ? null : round(projector.events / projector.pages),
    writeUnitsPerEvent:
      projector.events === 0 || projector.writeUnits === 0
        ? null
        : round(projector.writeUnits / projector.events),
    cpuSeconds: round(cpu),
    cpuMicrosPerEvent: survey.events === 0 ? null : round((cpu * 1_000_000) / survey.events),
    memoryMaxMiB: totalMemoryMaxMiB(sources.processes),
    dropped: survey.dropped,
    failed: survey.failed,
    duplicates: ledger.duplicates,
    quarantined: ledger.malformed,
    violations: ledger.violationCount,
  };
}

function notesOf(
  deployment: Deployment,
  survey: LedgerSurvey,
  drainedMs: number | undefined,
  failures: number,
): readonly string[] {
  const { log } = deployment;
  const notes = [
    ...deployment.notes,
    `p50Ms … maxMs: ${survey.sampledEvents} events of sampled devices, whose items were read consistently every ${OBSERVE_EVERY_MS} ms; an event counts as readable when the first answer that shows it was here, so figures are too high by up to one round, never too low. Hot devices are all sampled, the others by weight.`,
  ];
  if (deployment.hasProgress) {
    notes.push(
      `finishedP99Ms: every event, by the shard's progress item read every ${OBSERVE_EVERY_MS} ms; it passes an event only when its whole batch is done.`,
    );
  }
  const { events, writeUnits } = log.totals['state-projector'];
  if (events > 0 && writeUnits === 0) notes.push('this DynamoDB reports no write units: none are given');
  if (drainedMs === undefined) notes.push('not drained before the deadline');
  if (survey.neverReadable > 0) {
    notes.push(
      `${survey.neverReadable} events of sampled devices were never seen in the state: no latency is given`,
    );
  }
  if (survey.neverFinished > 0) {
    notes.push(`${survey.neverFinished} events were never passed by shard progress`);
  }
  if (failures > 0)
    notes.push(`${failures} looks at states, progress or processes failed and were taken again`);
  for (const [kind, count] of log.warnings) notes.push(`${count} × ${kind}`);
  for (const line of log.otherLines) notes.push(`said: ${line.slice(0, 300)}`);
  return notes;
}
