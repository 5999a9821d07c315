import type { EventPage } from '@twinstream/device-model';
import type { EventStore, PageKey, PageRange, PageSummary } from './event-store.ts';
import type { HistoryAnswer, HistoryCursor, HistoryEvent, HistoryQuery } from './history-query.ts';

export const HISTORY_EVENTS_MAX = 1_000;

/** How much work one answer is; what it has by then, even nothing, it returns with a cursor. */
export interface HistoryLimits {
  /** Bytes of event text (UTF-8), unless one event alone has more. */
  readonly bytesMax: number;
  readonly pagesMax: number;
  /** Pages of which only the summary is read. */
  readonly summariesMax: number;
  /** Pages in a row without a wanted event, after which the next ones are skimmed first. */
  readonly missesBeforeSkimming: number;
}

/**
 * Half a second or less: a page is decoded in 0.1 ms, and 1 MB holds some 1,700 summaries. The bytes fit an answer of a
 * Lambda function, 6 MB ("Lambda quotas", developer guide, read 2026-11), also where each is escaped once more on its
 * way, which doubles a text at most, and with what is said of 1,000 events besides.
 */
export const HISTORY_LIMITS: HistoryLimits = {
  bytesMax: 2 * 1024 * 1024,
  pagesMax: 500,
  summariesMax: 20_000,
  missesBeforeSkimming: 16,
};

/** As a cursor's index: from the end of its page. */
const PAGE_END = Number.MAX_SAFE_INTEGER;

/**
 * One answer to a history query: events in chain order or its reverse, chosen by their own arrival.
 *
 * Arrivals need not rise along a chain: shards differ, clocks jump, and repaired events stand at the tail with their old
 * arrivals. `from` bounds the pages soundly, because every arrival up to a page is at or below the key of the next. `to`
 * bounds nothing: any later page may hold an earlier arrival. So the pages that have nothing are skimmed by what they
 * say of themselves, an answer looks at a bounded number of them, and one without events may still have a cursor; only
 * an answer without a cursor is the last.
 *
 * Throws RangeError for a limit outside 1 to {@link HISTORY_EVENTS_MAX}.
 */
export async function readHistory(
  store: EventStore,
  query: HistoryQuery,
  limits: HistoryLimits = HISTORY_LIMITS,
): Promise<HistoryAnswer> {
  const { limit } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > HISTORY_EVENTS_MAX) {
    throw new RangeError(`limit must be 1-${HISTORY_EVENTS_MAX}`);
  }
  const scan: Scan = {
    store,
    query,
    lowest: await lowestOf(store, query),
    bound: query.cursor,
    events: [],
    bytesLeft: limits.bytesMax,
    missesBeforeSkimming: limits.missesBeforeSkimming,
    pagesLeft: limits.pagesMax,
    summariesLeft: limits.summariesMax,
  };
  let next: StretchEnd = 'read';
  while (next === 'read' || next === 'skim') {
    next = next === 'read' ? await readPages(scan) : await skimSummaries(scan);
  }
  return next === 'end' ? { events: scan.events } : { events: scan.events, cursor: next };
}

/** A walk along the chain, or back along it. */
interface Scan {
  readonly store: EventStore;
  readonly query: HistoryQuery;
  /** First page that may hold an event of the range. */
  readonly lowest: PageKey | undefined;
  /** Where the walk is: the next page is at this key or beyond it. */
  bound: PageKey | undefined;
  readonly events: HistoryEvent[];
  readonly missesBeforeSkimming: number;
  bytesLeft: number;
  pagesLeft: number;
  summariesLeft: number;
}

/** How a stretch of the walk ended: where the next answer begins, or what to do next. */
type StretchEnd = HistoryCursor | 'end' | 'skim' | 'read';

async function lowestOf(
  store: EventStore,
  { deviceId, from, cursor, order, signal }: HistoryQuery,
): Promise<PageKey | undefined> {
  const goesOn = cursor !== undefined && order !== 'descending';
  return from === undefined || goesOn ? undefined : store.lastKeyBelow(deviceId, from, signal);
}

function rangeOf({ query, lowest, bound }: Scan): PageRange {
  const { order = 'ascending', signal } = query;
  return order === 'ascending'
    ? { from: bound ?? lowest, order, signal }
    : { from: lowest, to: bound, order, signal };
}

async function readPages(scan: Scan): Promise<StretchEnd> {
  const { store, query, events } = scan;
  let misses = 0;
  for await (const page of store.pages(query.deviceId, rangeOf(scan))) {
    const indices = indicesOf(page, query);
    for (const index of indices) {
      const stored = page.events[index];
      if (stored === undefined) continue;
      const bytes = Buffer.byteLength(stored.text);
      const isFull = events.length === query.limit || bytes > scan.bytesLeft;
      if (isFull && events.length > 0) return cursorAt(page, index);
      scan.bytesLeft -= bytes;
      events.push({ ...stored, shardId: page.shardId, page: page.page });
    }
    const beyond = beyondOf(page, query);
    if (beyond === undefined) return 'end';
    scan.bound = beyond;
    scan.pagesLeft -= 1;
    if (scan.pagesLeft === 0) return beyond;
    misses = indices.length === 0 ? misses + 1 : 0;
    if (misses === scan.missesBeforeSkimming) return 'skim';
  }
  return 'end';
}

async function skimSummaries(scan: Scan): Promise<StretchEnd> {
  const { store, query } = scan;
  for await (const summary of store.pageSummaries(query.deviceId, rangeOf(scan))) {
    if (mayHold(summary, query)) {
      scan.bound = { arrivalMaxBefore: summary.arrivalMaxBefore, page: summary.page };
      return 'read';
    }
    const beyond = beyondOf(summary, query);
    if (beyond === undefined) return 'end';
    scan.bound = beyond;
    scan.summariesLeft -= 1;
    if (scan.summariesLeft === 0) return beyond;
  }
  return 'end';
}

function mayHold({ eventCount, firstArrivalTime }: PageSummary, { to }: HistoryQuery): boolean {
  return eventCount > 0 && (to === undefined || firstArrivalTime < to);
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

/** Where the walk continues after a page: its neighbour has a key at or beyond this one. */
function beyondOf({ arrivalMaxBefore, page }: PageKey, { order }: HistoryQuery): HistoryCursor | undefined {
  if (order !== 'descending') return { arrivalMaxBefore, page: page + 1, index: 0 };
  return page > 1 ? { arrivalMaxBefore, page: page - 1, index: PAGE_END } : undefined;
}
