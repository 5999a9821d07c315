import { counted, durationText, liveLine, type TextOutput, whole } from '@twinstream/command-line';
import { type ReplayJob, type ReplayPass, totalOf } from './replay-job.ts';
import { isExact, type Range, rangeText } from './replay-plan.ts';

const TERMINAL_MS = 250;
const LINES_MS = 2_000;
const BAR_CELLS = 24;

/** Passes that go through the events of the window, whose count is known; what the others do. */
const DOES: Readonly<Record<ReplayPass, string | undefined>> = {
  survey: 'looks for missing pages and gathers their events from the source',
  restore: 'puts missing neighbours back',
  states: 'compares every state with its pages',
  apply: undefined,
  rebuild: undefined,
  done: undefined,
};

/** How far a job has come, as a line of JSON says it: stable, for scripts. */
export interface ProgressLine {
  readonly job: string;
  readonly pass: ReplayPass;
  readonly read: number;
  readonly applied: number;
  readonly failed: number;
  readonly eventsPerSecond: number;
  /** Events of the window: equal bounds where they were counted. */
  readonly expected: Range;
  /** Null where nobody can tell: in a pass of unknown length, of a window that was not counted, or beyond its count. */
  readonly remainingMs: number | null;
  /** What nothing goes on before; null while work goes on. */
  readonly waitsFor: string | null;
}

/** What is known while a job runs. */
export interface ProgressSource {
  readonly expected: Range;
  readonly waitsFor: () => string | undefined;
  readonly now: () => number;
}

export function progressLine(
  job: ReplayJob,
  { expected, waitsFor }: Pick<ProgressSource, 'expected' | 'waitsFor'>,
  since: { readonly readBefore: number; readonly elapsedMs: number },
): ProgressLine {
  const { read, applied, failed } = totalOf(job.ledger);
  const rate = (Math.max(0, read - since.readBefore) / Math.max(1, since.elapsedMs)) * 1_000;
  const isCounting = DOES[job.pass] === undefined && isExact(expected) && read < expected.max;
  return {
    job: job.id,
    pass: job.pass,
    read,
    applied,
    failed,
    eventsPerSecond: Math.round(rate),
    expected,
    remainingMs: isCounting && rate > 0 ? ((expected.max - read) / rate) * 1_000 : null,
    waitsFor: waitsFor() ?? null,
  };
}

/** The same for people: a bar where the end is known, and otherwise what is done or waited for. */
export function progressText(line: ProgressLine): string {
  const { pass, read, expected, eventsPerSecond, remainingMs, waitsFor } = line;
  if (waitsFor !== null) return `${pass}: waits for ${waitsFor}`;
  const does = DOES[pass];
  if (does !== undefined) return `${pass}: ${does}`;
  const rate = `${whole(eventsPerSecond)}/s`;
  if (!isExact(expected) || expected.max === 0) {
    return `${pass}: ${counted(read, 'event')} of ${rangeText(expected, whole)}, ${rate}`;
  }
  const share = Math.min(1, read / expected.max);
  const bar = '#'.repeat(Math.floor(share * BAR_CELLS)).padEnd(BAR_CELLS, '.');
  const left = remainingMs === null ? '' : `, about ${durationText(remainingMs)} left`;
  return `${pass} [${bar}] ${whole(read)} of ${whole(expected.max)} events, ${rate}${left}`;
}

/** Shows how a job goes on: one line on a terminal, lines of JSON otherwise. Returns how to stop. */
export function showProgress(stream: TextOutput, job: ReplayJob, source: ProgressSource): () => void {
  const startMs = source.now();
  const readBefore = totalOf(job.ledger).read;
  const now = () => progressLine(job, source, { readBefore, elapsedMs: source.now() - startMs });
  const { close } = liveLine(stream, {
    textOf: () => progressText(now()),
    refreshMs: TERMINAL_MS,
    inPipe: { textOf: () => JSON.stringify(now()), everyMs: LINES_MS },
  });
  return close;
}
