import type { EventPage } from '@twinstream/device-model';
import type { EventStore, PageKey } from './event-store.ts';
import type { HistoryAnswer, HistoryCursor, HistoryEvent, HistoryQuery } from './history-query.ts';

export const HISTORY_EVENTS_MAX = 1_000;

/** Pages that one answer looks at; what it has by then, even nothing, it gives with a cursor. */
export const HISTORY_PAGES_MAX = 500;

/** As a cursor's index: from the end of its page. */
const PAGE_END = Number.MAX_SAFE_INTEGER;

/**
 * One answer to a history query: events in chain order or its reverse, chosen by their own arrival.
 *
 * Arrivals need not rise along a chain: shards differ, clocks jump, and repaired events stand at the tail with their old
 * arrivals. `from` bounds the pages soundly, because every arrival up to a page is at or below the key of the next. `to`
 * bounds nothing: any later page may hold an earlier arrival. So an answer looks at a bounded number of pages, and one
 * without events may still have a cursor; only an answer without a cursor is the last.
 *
 * Throws RangeError for a limit outside 1 to {@link HISTORY_EVENTS_MAX}.
 */
export async function readHistory(store: EventStore, query: HistoryQuery): Promise<HistoryAnswer> {
  const { deviceId, from, limit, cursor, signal } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > HISTORY_EVENTS_MAX) {
    throw new RangeError(`limit must be 1-${HISTORY_EVENTS_MAX}`);
  }
  const falls = query.order === 'descending';
  const goesOn = cursor !== undefined && !falls;
  const lowest = from === undefined || goesOn ? undefined : await store.lastKeyBelow(deviceId, from, signal);
  const pages = store.pages(deviceId, {
    from: falls ? lowest : (cursor ?? lowest),
    to: falls ? cursor : undefined,
    order: falls ? 'descending' : 'ascending',
    signal,
  });
  const events: HistoryEvent[] = [];
  let pagesRead = 0;
  for await (const page of pages) {
    for (const index of indicesOf(page, query)) {
      if (events.length === limit) return { events, cursor: cursorAt(page, index) };
      const stored = page.events[index];
      if (stored !== undefined) events.push({ ...stored, shardId: page.shardId, page: page.page });
    }
    pagesRead += 1;
    if (pagesRead === HISTORY_PAGES_MAX) {
      const next = falls ? cursorBelow(page) : cursorAt(page, page.events.length);
      return next === undefined ? { events } : { events, cursor: next };
    }
  }
  return { events };
}

/** Indices of the events of a page that the query wants, in its order. */
function indicesOf(page: EventPage, { from, to, order, cursor }: HistoryQuery): readonly number[] {
  const falls = order === 'descending';
  const at = cursor?.page === page.page ? cursor.index : undefined;
  const indices: number[] = [];
  page.events.forEach(({ arrivalTime }, index) => {
    if (from !== undefined && arrivalTime < from) return;
    if (to !== undefined && arrivalTime >= to) return;
    if (at !== undefined && (falls ? index > at : index < at)) return;
    indices.push(index);
  });
  return falls ? indices.reverse() : indices;
}

function cursorAt({ arrivalMaxBefore, page }: PageKey, index: number): HistoryCursor {
  return { arrivalMaxBefore, page, index };
}

/** The page before has a key at or below this one. */
function cursorBelow({ arrivalMaxBefore, page }: PageKey): HistoryCursor | undefined {
  return page > 1 ? { arrivalMaxBefore, page: page - 1, index: PAGE_END } : undefined;
}
