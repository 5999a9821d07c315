import type { Clock } from '@twinstream/runtime';

/** A step holds a quarter of a second: small enough to act on signals and checkpoints soon, large enough for full pages. */
const STEPS_PER_SECOND = 4;
const STEP_ENTRIES_MAX = 2_000;

/** Keeps work to a rate. */
export interface Pace {
  /** Entries that one step may hold. */
  readonly stepEntries: number;
  /** Resolves when that many more may begin. */
  take(count: number, signal: AbortSignal): Promise<void>;
}

/** What a slow step has missed is made up for, but no more of it than this, in milliseconds. */
const CATCH_UP_MS = 2_000;

/**
 * At most `rate` entries a second, over all who ask; unlimited where it is absent. What was missed within two seconds is
 * made up for, so that the rate holds; after a longer pause there is no burst.
 */
export function createPace(rate: number | undefined, clock: Clock): Pace {
  if (rate === undefined) return { stepEntries: STEP_ENTRIES_MAX, take: async () => undefined };
  // Counts from the first step: what passes until then is not missed work.
  let nextMs: number | undefined;
  return {
    stepEntries: Math.max(1, Math.min(STEP_ENTRIES_MAX, Math.floor(rate / STEPS_PER_SECOND))),
    take: async (count, signal) => {
      const now = clock.now();
      const start = Math.max(nextMs ?? now, now - CATCH_UP_MS);
      nextMs = start + (count / rate) * 1_000;
      if (start > now) await clock.sleep(Math.ceil(start - now), signal);
    },
  };
}
