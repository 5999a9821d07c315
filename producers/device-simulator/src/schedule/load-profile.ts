/** Every `everyMs` the rate is `factor` times as high, for `lengthMs`. The first burst begins after one quiet stretch. */
export interface Burst {
  readonly factor: number;
  readonly lengthMs: number;
  readonly everyMs: number;
}

/** How many events are due when. */
export interface LoadProfile {
  /** Events per second, once the ramp is over and outside of bursts. */
  readonly ratePerSecond: number;
  /** The rate rises evenly from 0 over this time. */
  readonly rampMs?: number;
  readonly burst?: Burst;
}

/** A stretch of time in which the rate changes evenly. Offsets in milliseconds, rates per millisecond. */
interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
  readonly fromRate: number;
  readonly toRate: number;
}

/**
 * When each event is due: the first call returns the first event's offset in milliseconds, the next the second's, without
 * end and never falling. The n-th event (from 0) is due when the profile's area reaches n, so that the load does not
 * depend on how it is kept up with (an open loop), and no rounding adds up.
 */
export function dueTimes(profile: LoadProfile): () => number {
  const stretches = stretchesOf(profile);
  let stretch = stretches();
  let eventsBefore = 0;
  let count = 0;
  return () => {
    const wanted = count;
    count += 1;
    for (;;) {
      const events = ((stretch.fromRate + stretch.toRate) / 2) * (stretch.toMs - stretch.fromMs);
      // An event that falls on the seam belongs to the later stretch; the tolerance keeps a rounded area from losing it.
      if (wanted - eventsBefore < events - 1e-9) return offsetWithin(stretch, wanted - eventsBefore);
      eventsBefore += events;
      stretch = stretches();
    }
  };
}

/** Offset at which the area from the stretch's start reaches `events`: the root of a quadratic, in the form that is stable for small slopes. */
function offsetWithin({ fromMs, toMs, fromRate, toRate }: Stretch, events: number): number {
  if (events <= 0) return fromMs;
  const slope = (toRate - fromRate) / (toMs - fromMs);
  if (slope === 0) return fromMs + events / fromRate;
  return fromMs + (2 * events) / (fromRate + Math.sqrt(fromRate * fromRate + 2 * slope * events));
}

/** The stretches of a profile, one after the other, without end. */
function stretchesOf({ ratePerSecond, rampMs = 0, burst }: LoadProfile): () => Stretch {
  const rate = ratePerSecond / 1_000;
  const rampAt = (ms: number): number => (ms >= rampMs ? 1 : ms / rampMs);
  let fromMs = 0;
  return () => {
    const rampEnd = fromMs < rampMs ? rampMs : Number.POSITIVE_INFINITY;
    const { factor, endMs } = burstAt(fromMs, burst);
    const toMs = Math.min(rampEnd, endMs);
    const fromRate = rate * factor * rampAt(fromMs);
    const toRate = rate * factor * (toMs <= rampMs ? rampAt(toMs) : 1);
    const stretch = { fromMs, toMs, fromRate, toRate };
    fromMs = toMs;
    return stretch;
  };
}

/** The factor in force from `ms` on, and when it ends. */
function burstAt(ms: number, burst: Burst | undefined): { factor: number; endMs: number } {
  if (burst === undefined) return { factor: 1, endMs: Number.POSITIVE_INFINITY };
  const { factor, lengthMs, everyMs } = burst;
  const quietMs = everyMs - lengthMs;
  const period = Math.floor(ms / everyMs);
  const burstFrom = period * everyMs + quietMs;
  return ms < burstFrom ? { factor: 1, endMs: burstFrom } : { factor, endMs: (period + 1) * everyMs };
}
