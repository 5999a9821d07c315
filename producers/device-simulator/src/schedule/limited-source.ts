import type { EventSource, PlannedEvent } from '../sending/planned-event.ts';

/** When a source ends, at the latest. */
export interface SourceLimits {
  readonly count: number | undefined;
  /** No event that is due at or after this offset is sent; where there is no schedule, none is sent after this time. In milliseconds. */
  readonly durationMs: number | undefined;
  /** Milliseconds since the run began. */
  readonly elapsedMs: () => number;
}

/** The events of a source, up to its limits. */
export function limitedSource(source: EventSource, limits: SourceLimits): EventSource {
  const { durationMs = Number.POSITIVE_INFINITY, elapsedMs } = limits;
  const countMax = limits.count ?? Number.POSITIVE_INFINITY;
  let count = 0;
  let isOver = false;

  function within(planned: PlannedEvent | undefined): PlannedEvent | undefined {
    if (planned === undefined) return undefined;
    if ((planned.dueMs ?? elapsedMs()) >= durationMs) {
      isOver = true;
      return undefined;
    }
    count += 1;
    return planned;
  }

  return {
    next() {
      if (isOver || count >= countMax) return undefined;
      const planned = source.next();
      return planned instanceof Promise ? planned.then(within) : within(planned);
    },
    close: () => source.close(),
  };
}
