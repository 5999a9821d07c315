/** How a device spreads its events over time: on its clock, or independently of each other. */
export type Arrivals = 'regular' | 'random';

/** That share of the pairs of a batch and a device of which it holds any holds this many of its events. */
export interface EventCount {
  readonly events: number;
  readonly share: number;
}

/** Beyond this mean, random counts spread by less than a twentieth, and are taken as regular. */
const RANDOM_MEAN_MAX = 400;
/** Counts farther from the mean than this many roots of it are left out: fewer than one in a million. */
const SPREAD_ROOTS = 6;

/**
 * How many events of one device a batch holds, where it holds any, for a mean of `mean` events a batch.
 *
 * - regular: a device that sends every p seconds has one event in a batch of less than p seconds, never two; otherwise the whole numbers
 *   around the mean.
 * - random: a Poisson count that is not zero, with the mean m / (1 − e^−m).
 */
export function eventCounts(mean: number, arrivals: Arrivals): readonly EventCount[] {
  if (arrivals === 'regular' || mean > RANDOM_MEAN_MAX) return regularCounts(Math.max(1, mean));
  const from = Math.max(1, Math.floor(mean - SPREAD_ROOTS * Math.sqrt(mean)));
  const to = Math.ceil(mean + SPREAD_ROOTS * Math.sqrt(mean) + SPREAD_ROOTS);
  const weights: EventCount[] = [];
  let logShare = from * Math.log(mean) - mean - Math.log(-Math.expm1(-mean));
  for (let factor = 2; factor <= from; factor += 1) logShare -= Math.log(factor);
  for (let events = from; events <= to; events += 1) {
    weights.push({ events, share: Math.exp(logShare) });
    logShare += Math.log(mean) - Math.log(events + 1);
  }
  return weights;
}

function regularCounts(mean: number): readonly EventCount[] {
  const fewer = Math.floor(mean);
  const rest = mean - fewer;
  return rest === 0
    ? [{ events: fewer, share: 1 }]
    : [
        { events: fewer, share: 1 - rest },
        { events: fewer + 1, share: rest },
      ];
}

/** Mean over the counts of something that depends on their number of events. */
export function meanOver(counts: readonly EventCount[], of: (events: number) => number): number {
  let [sum, shares] = [0, 0];
  for (const { events, share } of counts) {
    sum += share * of(events);
    shares += share;
  }
  return sum / shares;
}
