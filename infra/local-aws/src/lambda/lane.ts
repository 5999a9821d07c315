import { INVOCATION_PAYLOAD_BYTES_MAX, type MappingSettings } from '@twinstream/pipeline-settings';
import type { Clock } from '@twinstream/runtime';
import { type Wake, wake } from '../kinesis/wake.ts';
import { type EventRecord, eventBytes } from './kinesis-event.ts';

type Window = Pick<MappingSettings, 'batchSize' | 'batchingWindowMs'>;

/** Records of one shard that are delivered one batch after the other. */
export interface Lane {
  push(records: readonly EventRecord[]): void;
  /** Nothing will follow: what is there need not wait for a window. */
  end(): void;
  /**
   * Waits for the next batch: full by count or by bytes, or its window over since its first record came and since it was
   * asked for, which is when the batch before was done: shards that wait for one container drift apart by that, instead
   * of asking for it together in every window. Undefined when the lane has ended and is empty, or `stop` came first. A
   * record too large for any event travels alone.
   */
  nextBatch(stop: AbortSignal): Promise<readonly EventRecord[] | undefined>;
}

/** What was pushed at one time. */
interface Arrival {
  readonly atMs: number;
  readonly records: readonly EventRecord[];
}

export function lane(window: Window, clock: Clock): Lane {
  const changed: Wake = wake(clock);
  let arrivals: Arrival[] = [];
  let ended = false;

  const nextBatch: Lane['nextBatch'] = async (stop) => {
    const askedAtMs = clock.now();
    while (!stop.aborted) {
      const [oldest] = arrivals;
      if (oldest === undefined) {
        if (ended) return undefined;
        await changed.wait(stop);
        continue;
      }
      const count = fittingCount(arrivals, window.batchSize);
      const queued = arrivals.reduce((sum, { records }) => sum + records.length, 0);
      const full = count === window.batchSize || count < queued;
      const leftMs = Math.max(oldest.atMs, askedAtMs) + window.batchingWindowMs - clock.now();
      if (full || ended || leftMs <= 0) {
        const batch = take(arrivals, count);
        arrivals = [...batch.rest];
        return batch.records;
      }
      await changed.wait(stop, leftMs);
    }
    return undefined;
  };
  return {
    push: (records) => {
      if (records.length === 0) return;
      arrivals.push({ atMs: clock.now(), records });
      changed.notify();
    },
    end: () => {
      ended = true;
      changed.notify();
    },
    nextBatch,
  };
}

/** How many records from the front make the next batch: at least one. */
function fittingCount(arrivals: readonly Arrival[], batchSize: number): number {
  let count = 0;
  let bytes = eventBytes([]);
  for (const { records } of arrivals) {
    for (const record of records) {
      bytes += record.jsonBytes + 1;
      if (count === batchSize || (count > 0 && bytes > INVOCATION_PAYLOAD_BYTES_MAX)) return count;
      count += 1;
    }
  }
  return count;
}

/** Takes `count` records off the front; what is left of a split arrival keeps its time. */
function take(arrivals: readonly Arrival[], count: number) {
  const records: EventRecord[] = [];
  const rest: Arrival[] = [];
  for (const arrival of arrivals) {
    const wanted = Math.min(arrival.records.length, count - records.length);
    for (const record of arrival.records.slice(0, wanted)) records.push(record);
    if (wanted < arrival.records.length) {
      rest.push({ atMs: arrival.atMs, records: arrival.records.slice(wanted) });
    }
  }
  return { records, rest };
}
