import { type Expectation, judge, parseExpectation } from './figures.ts';
import type { RateSearch, SubjectResult } from './load-result.ts';

/** What is expected of `p99Ms` where nothing else is. */
const READABLE_SOON = parseExpectation('p99Ms<=3000');
/** A rate holds when nothing is dropped or broken, expectations are met, and the rest was soon readable. */
const HOLDS = {
  drainMsMax: 5_000,
  /** Below it, the simulator could not make the load. */
  offeredShareMin: 0.98,
} as const;
/** Trials at most, the last of which is within about 6 % of the limit. */
const TRIALS_MAX = 9;
const PRECISION = 1.06;
const RATE_MIN = 50;
const RATE_MAX = 200_000;

export interface RateSearchOptions {
  readonly startRate: number;
  readonly measure: (rate: number) => Promise<SubjectResult>;
  /** A rate holds only where these are met. */
  readonly expectations?: readonly Expectation[];
  readonly say: (line: string) => void;
}

/** Why a rate does not hold; empty when it does. */
export function whyNot(
  { figures, ledger }: SubjectResult,
  rate: number,
  expectations: readonly Expectation[] = [],
): string {
  const offered = figures.offeredPerSecond ?? 0;
  if (ledger.violationCount > 0) return `${ledger.violationCount} violations`;
  if ((figures.dropped ?? 0) > 0) return `${figures.dropped} events dropped`;
  if ((figures.failed ?? 0) > 0) return `${figures.failed} events failed`;
  if (offered < rate * HOLDS.offeredShareMin) return `${Math.round(offered)} events/s offered`;
  const isSoonSaid = expectations.some(({ figure }) => figure === 'p99Ms');
  for (const expectation of isSoonSaid ? expectations : [READABLE_SOON, ...expectations]) {
    const { text, value, met } = judge(expectation, figures);
    if (!met) return `${text} is missed: ${value === null ? 'not known' : Math.round(value)}`;
  }
  if (figures.drainMs === null || figures.drainMs > HOLDS.drainMsMax) return 'not drained in time';
  return '';
}

/** Doubles or halves until the limit lies between two rates, then divides in between (geometrically). */
export async function searchRate(
  options: RateSearchOptions,
): Promise<{ readonly search: RateSearch; readonly best: SubjectResult }> {
  const { measure, say, expectations } = options;
  const trials: RateSearch['trials'][number][] = [];
  let held: { rate: number; result: SubjectResult } | undefined;
  let broken: number | undefined;
  let last: SubjectResult | undefined;
  let rate = options.startRate;
  while (trials.length < TRIALS_MAX) {
    last = await measure(rate);
    const why = whyNot(last, rate, expectations);
    trials.push({ rate, held: why === '', why, p99Ms: last.figures.p99Ms });
    say(`${last.subject}: ${rate} events/s ${why === '' ? 'hold' : `do not hold: ${why}`}`);
    if (why === '') held = { rate, result: last };
    else broken = rate;
    const next = nextRate(held?.rate, broken);
    if (next === undefined) break;
    rate = next;
  }
  const shown = held?.result ?? last;
  if (shown === undefined) throw new TypeError('a search makes at least one trial');
  const highestRate = held?.rate ?? null;
  const best = { ...shown, figures: { ...shown.figures, highestRate } };
  return { search: { subject: shown.subject, highestRate, trials }, best };
}

/** Undefined when the limit is known well enough. */
export function nextRate(held: number | undefined, broken: number | undefined): number | undefined {
  if (held === undefined) {
    return broken === undefined || broken / 2 < RATE_MIN ? undefined : Math.round(broken / 2);
  }
  if (broken === undefined) return held * 2 > RATE_MAX ? undefined : held * 2;
  return broken / held <= PRECISION ? undefined : Math.round(Math.sqrt(held * broken));
}
