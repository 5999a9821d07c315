import { type LiveLine, liveLine, type TextOutput, whole } from '@twinstream/command-line';
import { ms } from './summary.ts';
import type { Tally } from './tally.ts';

const REFRESH_MS = 200;
/** Number of refreshes over which the shown rate is measured. */
const RATE_WINDOW = 10;

/** Shows how sending goes on. In a pipe there are only the notes. */
export function showProgress(stream: TextOutput, tally: Tally, nowMs: () => number): LiveLine {
  const startMs = nowMs();
  const samples: { readonly atMs: number; readonly acknowledged: number }[] = [];

  function textNow(): string {
    const atMs = nowMs();
    const { acknowledged } = tally.counts();
    samples.push({ atMs, acknowledged });
    if (samples.length > RATE_WINDOW) samples.shift();
    const [oldest] = samples;
    const spanMs = oldest === undefined ? 0 : atMs - oldest.atMs;
    const rate =
      oldest === undefined || spanMs <= 0 ? 0 : ((acknowledged - oldest.acknowledged) / spanMs) * 1_000;
    return progressText(tally, (atMs - startMs) / 1_000, rate);
  }

  return liveLine(stream, { textOf: textNow, refreshMs: REFRESH_MS });
}

export function progressText(tally: Tally, elapsedS: number, rate: number): string {
  const counts = tally.counts();
  const parts = [
    `${elapsedS.toFixed(1)} s`,
    `${whole(rate)}/s`,
    `${whole(counts.acknowledged)} acknowledged`,
    ...(counts.failed > 0 ? [`${whole(counts.failed)} failed`] : []),
    ...(counts.dropped > 0 ? [`${whole(counts.dropped)} dropped`] : []),
    `${whole(tally.inFlight())} in flight`,
    `${whole(counts.retried)} retries`,
    `p99 ${ms(tally.latency().p99)}`,
  ];
  return parts.join('  ');
}
