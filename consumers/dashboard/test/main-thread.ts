import type { Page } from 'playwright-core';

/** What the page's main thread did while something happened. */
export interface MainThreadReport {
  readonly tasks: number;
  /** Processor time of the longest tasks, longest first; milliseconds. */
  readonly longestMs: readonly number[];
  /** Processor time of all tasks; milliseconds. */
  readonly busyMs: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

const CATEGORIES = 'toplevel,devtools.timeline,disabled-by-default-devtools.timeline';
const LONGEST_KEPT = 5;

/**
 * Traces the main thread while something happens on the page. A task is script, style, layout and paint of a frame at
 * most. Its processor time is counted, since its wall time says as much of what else the machine had to do. Tasks that
 * run the test's own scripts are left out.
 */
export async function traceMainThread(page: Page, happen: () => Promise<void>): Promise<MainThreadReport> {
  const devtools = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  devtools.on('Tracing.dataCollected', ({ value }) => {
    for (const event of value) events.push(event as unknown as TraceEvent);
  });
  await devtools.send('Tracing.start', { transferMode: 'ReportEvents', categories: CATEGORIES });
  await happen();
  const completed = new Promise<void>((resolve) => devtools.once('Tracing.tracingComplete', () => resolve()));
  await devtools.send('Tracing.end');
  await completed;
  await devtools.detach();
  return reportOf(events);
}

/** Nodes that are in memory once everything that can go has gone: those of the page, and those that something holds. */
export async function countNodes(page: Page): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  await devtools.send('HeapProfiler.collectGarbage');
  await devtools.send('HeapProfiler.collectGarbage');
  const { metrics } = await devtools.send('Performance.getMetrics');
  await devtools.detach();
  const nodes = metrics.find(({ name }) => name === 'Nodes');
  if (nodes === undefined) throw new Error('the browser does not count nodes');
  return nodes.value;
}

function reportOf(events: readonly TraceEvent[]): MainThreadReport {
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid}:${tid}`;
  const mainThreads = new Set(
    events
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(threadOf),
  );
  const onMain = events.filter((event) => event.ph === 'X' && mainThreads.has(threadOf(event)));
  const evaluations = onMain.filter(({ name }) => name === 'EvaluateScript');
  const holdsEvaluation = ({ ts, dur = 0 }: TraceEvent): boolean =>
    evaluations.some((own) => own.ts >= ts && own.ts <= ts + dur);
  const timesMs = onMain
    .filter((event) => event.name === 'RunTask' && !holdsEvaluation(event))
    .map(({ tdur = 0 }) => tdur / 1_000)
    .sort((a, b) => b - a);
  return {
    tasks: timesMs.length,
    longestMs: timesMs.slice(0, LONGEST_KEPT),
    busyMs: timesMs.reduce((sum, ms) => sum + ms, 0),
  };
}
