import type { TextOutput } from '@twinstream/runtime';
import { ms, whole } from './summary.ts';
import type { Tally } from './tally.ts';

const REFRESH_MS = 200;
/** Number of refreshes over which the shown rate is measured. */
const RATE_WINDOW = 10;

/** One live line on a terminal, and lines that stay above it. In a pipe there are only the latter. */
export interface Progress {
  /** Prints a line that stays. */
  note(line: string): void;
  /** Takes the live line away. */
  close(): void;
}

export function showProgress(stream: TextOutput, tally: Tally, nowMs: () => number): Progress {
  if (!stream.isTTY) {
    return { note: (line) => void stream.write(`${line}\n`), close: () => undefined };
  }
  const startMs = nowMs();
  const samples: { readonly atMs: number; readonly acknowledged: number }[] = [];

  function refresh(): void {
    const atMs = nowMs();
    const { acknowledged } = tally.counts();
    samples.push({ atMs, acknowledged });
    if (samples.length > RATE_WINDOW) samples.shift();
    const [oldest] = samples;
    const spanMs = oldest === undefined ? 0 : atMs - oldest.atMs;
    const rate =
      oldest === undefined || spanMs <= 0 ? 0 : ((acknowledged - oldest.acknowledged) / spanMs) * 1_000;
    const line = progressText(tally, (atMs - startMs) / 1_000, rate);
    // One column short of the edge, where some terminals wrap.
    stream.write(`\r\u001b[K${line.slice(0, (stream.columns ?? 80) - 1)}`);
  }

  const timer = setInterval(refresh, REFRESH_MS);
  timer.unref();
  return {
    note: (line) => void stream.write(`\r\u001b[K${line}\n`),
    close() {
      clearInterval(timer);
      stream.write('\r\u001b[K');
    },
  };
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
