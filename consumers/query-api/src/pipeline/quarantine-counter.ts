import type { QuarantineStore } from '@twinstream/quarantine';
import type { Clock } from '@twinstream/runtime';

/** How much lies in quarantine. */
export interface QuarantineCounter {
  /**
   * Entries in quarantine.
   *
   * @param unfinishedFrom earliest arrival of what is not finished yet, milliseconds since 1970: nothing that arrived
   *   before it will enter quarantine any more
   */
  count(unfinishedFrom: number | undefined, signal?: AbortSignal): Promise<number>;
}

export interface QuarantineCounterOptions {
  readonly store: Pick<QuarantineStore, 'list'>;
  readonly clock: Clock;
  /** How long an answer stands, in milliseconds. Default 5,000. */
  readonly freshMs?: number;
  /** After this time everything is counted again, because operators take records out; milliseconds. Default 600,000. */
  readonly recountMs?: number;
}

const HOUR_MS = 3_600_000;

/** Counts what lies in quarantine hour by hour of arrival, and only those hours again that can still grow. */
export function quarantineCounter({
  store,
  clock,
  freshMs = 5_000,
  recountMs = 600_000,
}: QuarantineCounterOptions): QuarantineCounter {
  let byHour = new Map<number, number>();
  let countTime = Number.NEGATIVE_INFINITY;
  let recountTime = Number.NEGATIVE_INFINITY;
  /** What arrives in hours before it was finished when the count before was made. */
  let growsFrom: number | undefined;

  return {
    count: async (unfinishedFrom, signal) => {
      const now = clock.now();
      if (now - countTime > freshMs) {
        const recount = growsFrom === undefined || now - recountTime > recountMs;
        const from = recount || growsFrom === undefined ? undefined : growsFrom;
        const counted = new Map<number, number>();
        for await (const { arrivalHour, entryCount } of store.list({
          ...(from === undefined ? {} : { from }),
          ...(signal === undefined ? {} : { signal }),
        })) {
          counted.set(arrivalHour, (counted.get(arrivalHour) ?? 0) + entryCount);
        }
        if (from !== undefined) {
          for (const [hour, entries] of byHour) if (hour + HOUR_MS <= from) counted.set(hour, entries);
        }
        byHour = counted;
        countTime = now;
        if (recount) recountTime = now;
        // One hour to spare, since arrivals of a shard may step back a little, and shards differ.
        growsFrom = (unfinishedFrom ?? now) - HOUR_MS;
      }
      return byHour.values().reduce((sum, entries) => sum + entries, 0);
    },
  };
}
