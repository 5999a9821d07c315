import { type EventPage, eventTimeMs } from '@twinstream/device-model';
import type { PageSummary } from './event-store.ts';

/** What a page says of itself. */
export function summaryOf(page: EventPage): PageSummary {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const { event } of page.events) {
    const timeMs = eventTimeMs(event.time);
    if (timeMs < first) first = timeMs;
    if (timeMs > last) last = timeMs;
  }
  const { arrivalMaxBefore, shardId, duplicates, firstArrivalTime } = page;
  return {
    arrivalMaxBefore,
    page: page.page,
    shardId,
    eventCount: page.events.length,
    duplicates,
    firstArrivalTime,
    ...(page.events.length === 0 ? {} : { firstEventTime: first, lastEventTime: last }),
  };
}
