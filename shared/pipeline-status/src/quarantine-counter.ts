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
  /**
   * After this time everything is counted again, because operators take records out; milliseconds. Default 600,000. Where one
   * request lists all there is, everything is counted each time.
   */
  readonly recountMs?: number;
}

/** Objects of one answer (ListObjectsV2 API reference, read 2026-11). */
const LISTED_AT_ONCE = 1_000;

const HOUR_MS = 3_600_000;

/** What lies in quarantine of one hour of arrival. */
interface HourCount {
  readonly objects: number;
  readonly entries: number;
}

/** Counts what lies in quarantine hour by hour of arrival, and only those hours again that can still grow. */
export function quarantineCounter({
  store,
  clock,
  freshMs = 5_000,
  recountMs = 600_000,
}: QuarantineCounterOptions): QuarantineCounter {
  let byHour = new Map<number, HourCount>();
  let countTime = Number.NEGATIVE_INFINITY;
  let recountTime = Number.NEGATIVE_INFINITY;
  /** What arrives in hours before it was finished when the count before was made. */
  let growsFrom: number | undefined;

  return {
    count: async (unfinishedFrom, signal) => {
      const now = clock.now();
      if (now - countTime > freshMs) {
        const objectCount = sum(byHour, ({ objects }) => objects);
        const recount =
          growsFrom === undefined || objectCount < LISTED_AT_ONCE || now - recountTime > recountMs;
        const from = recount || growsFrom === undefined ? undefined : growsFrom;
        const counted = new Map<number, HourCount>();
        for await (const { arrivalHour, entryCount } of store.list({
          ...(from === undefined ? {} : { from }),
          ...(signal === undefined ? {} : { signal }),
        })) {
          const { objects, entries } = counted.get(arrivalHour) ?? { objects: 0, entries: 0 };
          counted.set(arrivalHour, { objects: objects + 1, entries: entries + entryCount });
        }
        if (from !== undefined) {
          for (const [hour, count] of byHour) if (hour + HOUR_MS <= from) counted.set(hour, count);
        }
        byHour = counted;
        countTime = now;
        if (recount) recountTime = now;
        // One hour to spare, since arrivals of a shard may step back a little, and shards differ.
        growsFrom = (unfinishedFrom ?? now) - HOUR_MS;
      }
      return sum(byHour, ({ entries }) => entries);
    },
  };
}

function sum(byHour: ReadonlyMap<number, HourCount>, figure: (count: HourCount) => number): number {
  return byHour.values().reduce((total, count) => total + figure(count), 0);
}
