import type { RunSummary } from '@twinstream/device-simulator';
import type { Deployment } from './deployment.ts';
import type { Figures } from './figures.ts';
import type { LedgerFindings } from './ledger-check.ts';
import type { LedgerSurvey } from './ledger-survey.ts';
import type { LoadOptions } from './load-options.ts';
import { lagMsOf, processFigures, round, totalMemoryMaxMiB } from './load-series.ts';
import type { LagSample } from './observers.ts';
import type { ProcessSample } from './process-sampler.ts';

/** Between two looks at states and progress: the resolution of the latencies. */
export const OBSERVE_EVERY_MS = 100;

export interface FigureSources {
  readonly deployment: Deployment;
  readonly options: LoadOptions;
  readonly simulator: RunSummary;
  readonly survey: LedgerSurvey;
  readonly ledger: LedgerFindings;
  readonly startMs: number;
  readonly loadEndMs: number;
  readonly drainedAtMs: number | undefined;
  readonly lags: readonly LagSample[];
  readonly processes: readonly ProcessSample[];
}

/** All figures of one run. */
export function figuresOf(sources: FigureSources): Figures {
  const { deployment, options, simulator, survey, ledger, loadEndMs, drainedAtMs } = sources;
  const projector = deployment.log?.totals['state-projector'];
  const archiver = deployment.log?.totals['event-archiver'];
  const perSecond = (events: number, untilMs: number | undefined): number | null =>
    untilMs === undefined || untilMs <= survey.firstDueMs
      ? null
      : round((events * 1_000) / (untilMs - survey.firstDueMs));
  const ms = (value: number | undefined): number | null => (value === undefined ? null : round(value));
  const cpu = deployment.runsHere ? cpuSecondsOf(sources) : null;
  const { readable } = survey;
  return {
    offeredPerSecond: round((simulator.scheduled * 1_000) / options.durationMs),
    acknowledgedPerSecond: perSecond(survey.events + survey.malformed, survey.lastAcknowledgedMs),
    projectedPerSecond: perSecond(projector?.events ?? 0, projector?.lastAtMs),
    archivedPerSecond: perSecond(archiver?.events ?? 0, archiver?.lastAtMs),
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
    drainMs: drainedAtMs === undefined ? null : round(drainedAtMs - loadEndMs),
    eventsPerPage:
      projector === undefined ? share(ledger.stored, ledger.pages) : share(projector.events, projector.pages),
    // No units are the silence of a DynamoDB that does not count them.
    writeUnitsPerEvent: projector?.writeUnits ? share(projector.writeUnits, projector.events) : null,
    cpuSeconds: cpu === null ? null : round(cpu),
    cpuMicrosPerEvent: cpu === null ? null : share(cpu * 1_000_000, survey.events),
    memoryMaxMiB: deployment.runsHere ? totalMemoryMaxMiB(sources.processes) : null,
    dropped: survey.dropped,
    failed: survey.failed,
    duplicates: ledger.duplicates,
    quarantined: ledger.malformed,
    highestRate: null,
    violations: ledger.violationCount,
  };
}

function share(sum: number, count: number | null): number | null {
  return count === null || count === 0 ? null : round(sum / count);
}

function cpuSecondsOf({ processes, loadEndMs }: FigureSources): number {
  return processFigures(processes, loadEndMs).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

/** What a reader of the figures must know. */
export function notesOf(
  deployment: Deployment,
  survey: LedgerSurvey,
  drainedAtMs: number | undefined,
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
  const projector = log?.totals['state-projector'];
  if (projector !== undefined && projector.events > 0 && projector.writeUnits === 0)
    notes.push('this DynamoDB reports no write units: none are given');
  if (drainedAtMs === undefined) notes.push('not drained before the deadline');
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
  for (const [kind, count] of log?.warnings ?? []) notes.push(`${count} × ${kind}`);
  for (const line of log?.otherLines ?? []) notes.push(`said: ${line.slice(0, 300)}`);
  return notes;
}
