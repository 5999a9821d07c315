import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadSite } from './load-site.ts';
import { preciseNow } from './precise-now.ts';
import type { Step } from './scenarios.ts';

/** Between two looks at whether the load has begun. */
const POLL_MS = 50;

export interface StepRun {
  readonly site: LoadSite;
  readonly durationMs: number;
  readonly hasBegun: () => boolean;
  /** Told of each step before it is taken. */
  readonly onStep: (what: string) => void;
  /** Aborted when the load has ended. */
  readonly ending: AbortSignal;
}

/** Takes the steps at their times. A step that fails is the scenario's failure: what it was to show was not shown. */
export async function runSteps(
  steps: readonly Step[],
  { site, durationMs, hasBegun, onStep, ending }: StepRun,
): Promise<readonly { atMs: number; what: string }[]> {
  const marks: { atMs: number; what: string }[] = [];
  const pause = (ms: number) => sleep(Math.max(0, ms), undefined, { signal: ending }).catch(() => undefined);
  while (!hasBegun() && !ending.aborted) await pause(POLL_MS);
  const startMs = preciseNow();
  for (const { at, what, act } of steps) {
    await pause(startMs + at * durationMs - preciseNow());
    if (ending.aborted) break;
    marks.push({ atMs: preciseNow(), what });
    onStep(what);
    await act(site);
  }
  return marks;
}
