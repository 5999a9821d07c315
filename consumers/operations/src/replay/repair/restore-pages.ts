import {
  type ArrivedEvent,
  type DeviceHistory,
  type DeviceState,
  type EventPage,
  foldPage,
  newDevice,
  planPage,
  type ReceiptLimits,
} from '@twinstream/device-model';
import { type EventStore, loadDeviceHistory, memoryEventStore } from '@twinstream/event-store';
import { CodedError } from '@twinstream/runtime';
import { compareWithinShard, type ShardId, type ShardPosition } from '@twinstream/stream-model';
import { identityOf } from '@twinstream/verification';
import { contradiction } from './live-evidence.ts';
import { type DamagedChain, type MissingRun, owedShards } from './missing-run.ts';

/** An event of a damaged device as a source returns it. */
export interface SourceEvent {
  readonly shardId: ShardId;
  readonly arrived: ArrivedEvent;
  /** True for what was redriven from quarantine: it was appended marked repaired, out of its shard's order. */
  readonly isRedriven?: boolean;
}

/** Events of one shard that make one page. */
interface PagePart {
  readonly shardId: ShardId;
  readonly arrived: readonly ArrivedEvent[];
  readonly isRepaired: boolean;
}

/** A part is one page, whatever it holds. */
const UNBOUNDED = { eventsMax: Number.POSITIVE_INFINITY, charactersMax: Number.POSITIVE_INFINITY };

/**
 * The missing pages of a chain, laid out again under their own numbers from the source's events. Where one page is
 * missing it comes out as it was; where neighbours are missing, too, their events, positions and order do, and the state
 * behind them, but the boundaries between them are not known any more.
 *
 * Throws `PAGES_NOT_RESTORABLE` when the source does not hold what the missing pages held, or when its order is not theirs
 * because a repair had appended some among them, as the live state tells: then nothing of the device is
 * written, since a page under a false key would part the chain for good.
 *
 * @param limits what the states remembered that the pages were laid out upon: it decides what counted as late
 * @param events of this device, those that no page covers at least, in the order of their shards
 */
export async function restoredPages(
  { deviceId, pages, runs, live }: DamagedChain,
  events: readonly SourceEvent[],
  limits: ReceiptLimits,
): Promise<readonly EventPage[]> {
  const taken = new Set<SourceEvent>();
  const restored: EventPage[] = [];
  let state: DeviceState = newDevice(deviceId);
  let index = 0;
  let atLivePage: DeviceState | undefined;
  const moveTo = (page: EventPage) => {
    state = foldPage(state, page, limits);
    if (state.page === live?.page && !runs.some((run) => isInside(run, state.page))) atLivePage = state;
  };
  const stored = storedIdentities(pages);
  const owed = owedShards({ pages, live });
  for (const run of runs) {
    for (let page = pages[index]; page !== undefined && page.page < run.firstPage; page = pages[index]) {
      moveTo(page);
      index += 1;
    }
    const before = [...pages.slice(0, index), ...restored];
    const free = events.filter((event) => !taken.has(event));
    const found = await laidOut(run, state, candidatesOf(run, free, { stored, owed }), before, limits);
    if (typeof found === 'string') throw notRestorable(deviceId, run, found);
    for (const event of found.own) taken.add(event);
    for (const page of found.pages) {
      restored.push(page);
      moveTo(page);
    }
  }
  for (const page of pages.slice(index)) moveTo(page);
  const chain = { end: state, ...(atLivePage === undefined ? {} : { atLivePage }) };
  const contradicted = live === undefined ? undefined : contradiction(live, chain);
  const [lastRun] = runs.slice(-1);
  if (contradicted !== undefined && lastRun !== undefined)
    throw notRestorable(deviceId, lastRun, contradicted);
  return restored;
}

/** True where a boundary between restored neighbours lies behind this page. */
function isInside({ firstPage, lastPage }: MissingRun, page: number): boolean {
  return page >= firstPage && page < lastPage;
}

function notRestorable(deviceId: string, { firstPage, lastPage }: MissingRun, why: string): CodedError {
  const numbers = firstPage === lastPage ? `page ${firstPage}` : `pages ${firstPage} to ${lastPage}`;
  return new CodedError('PAGES_NOT_RESTORABLE', `${numbers} of ${deviceId} cannot be restored: ${why}`);
}

function storedIdentities(pages: readonly EventPage[]): ReadonlySet<string> {
  return new Set(pages.flatMap(({ shardId, events }) => events.map((event) => identityOf(shardId, event))));
}

/** Events that may be those of a run, in the order of their shards. */
interface Candidate {
  readonly events: readonly SourceEvent[];
  readonly isRepaired: boolean;
}

/** What the pages and the state of a damaged chain say of the pages that are missing. */
interface Evidence {
  /** Identities of events that are stored. */
  readonly stored: ReadonlySet<string>;
  /** Shards that some of the missing pages are of. */
  readonly owed: ReadonlySet<ShardId>;
}

/** Which events a run may have held, the likeliest first. */
function candidatesOf(
  run: MissingRun,
  free: readonly SourceEvent[],
  { stored, owed }: Evidence,
): readonly Candidate[] {
  const ofNext = leadingDuplicates(run, free);
  const within = free.filter((event) => !ofNext.has(event) && isWithin(run, event));
  const inTime = free.filter((event) => arrivedInTime(run, event));
  const isInOrder = (event: SourceEvent) => isInShardOrder(run, event);
  const owing = new Set([...owed].filter((shardId) => !run.below.has(shardId)));
  return [
    // A device moves from a parent to its child, whose id is higher, unless the state says that it came back.
    { events: within.filter((event) => isInOrder(event) || owing.has(event.shardId)), isRepaired: false },
    { events: within.filter(isInOrder), isRepaired: false },
    // Where it did not, its shards take turns; and after a reshard both children may hold copies.
    { events: within, isRepaired: false },
    // Copies in a shard of which the state has seen nothing had not come by then.
    { events: within.filter(({ shardId }) => owing.has(shardId)), isRepaired: false },
    // Pages that a repair or a redrive appended hold events from below the marks of their time, or nothing but duplicates.
    ...(within.length === 0
      ? [
          { events: inTime.filter((event) => !isStored(event, stored)), isRepaired: true },
          { events: inTime, isRepaired: true },
        ]
      : []),
    // A chain that a replay wrote whole holds redriven entries in their own places.
    {
      events: free.filter((event) => !ofNext.has(event) && isBetween(run, event)),
      isRepaired: false,
    },
  ];
}

interface LaidOutRun {
  readonly own: readonly SourceEvent[];
  readonly pages: readonly EventPage[];
}

/** The pages of a run from the first candidate that joins what lies before and behind it; otherwise why the last one does not. */
async function laidOut(
  run: MissingRun,
  before: DeviceState,
  candidates: readonly Candidate[],
  pagesBefore: readonly EventPage[],
  limits: ReceiptLimits,
): Promise<LaidOutRun | string> {
  let reason = 'the source has too few of its events';
  for (const candidate of candidates) {
    const parts = partsOf(run, candidate);
    if (parts === undefined) continue;
    const pages: EventPage[] = [];
    let state = before;
    for (const part of parts) {
      const page = await layOut(state, part, [...pagesBefore, ...pages], limits);
      if (page === undefined) break;
      pages.push(page);
      state = foldPage(state, page, limits);
    }
    if (pages.length < parts.length) reason = 'an event of the source is none of its events';
    else if (run.arrivalMaxAfter === undefined || state.arrivalMax === run.arrivalMaxAfter) {
      return { own: candidate.events, pages };
    } else reason = 'what the source has does not join the page behind it';
  }
  return reason;
}

/** The candidate's events, in as many parts as the run has pages; undefined where there are too few. */
function partsOf(run: MissingRun, { events, isRepaired }: Candidate): readonly PagePart[] | undefined {
  const pageCount = run.lastPage - run.firstPage + 1;
  const segments = [...Map.groupBy(events, ({ shardId }) => shardId)].sort(([a], [b]) => (a < b ? -1 : 1));
  if (events.length < pageCount || segments.length > pageCount) return undefined;
  const parts: PagePart[] = [];
  let [pagesLeft, eventsLeft] = [pageCount, events.length];
  for (const [at, [shardId, of]] of segments.entries()) {
    const othersLeft = segments.length - at - 1;
    const share = othersLeft === 0 ? pagesLeft : Math.round((pagesLeft * of.length) / eventsLeft);
    const count = Math.max(1, Math.min(share, pagesLeft - othersLeft, of.length));
    for (const arrived of inParts(
      of.map((one) => one.arrived),
      count,
    ))
      parts.push({ shardId, arrived, isRepaired });
    pagesLeft -= count;
    eventsLeft -= of.length;
  }
  return pagesLeft === 0 ? parts : undefined;
}

function inParts(arrived: readonly ArrivedEvent[], count: number): (readonly ArrivedEvent[])[] {
  return Array.from({ length: count }, (_, part) =>
    arrived.slice(
      Math.floor((part * arrived.length) / count),
      Math.floor(((part + 1) * arrived.length) / count),
    ),
  );
}

/** True for an event that lies between the pages around the run, and that no operator has redriven. */
function isWithin(run: MissingRun, event: SourceEvent): boolean {
  return event.isRedriven !== true && isBetween(run, event);
}

function isBetween(run: MissingRun, event: SourceEvent): boolean {
  const { shardId, arrived } = event;
  const [above, below] = [run.above.get(shardId), run.below.get(shardId)];
  if (above !== undefined && compareWithinShard(arrived.place, above) <= 0) return false;
  if (below !== undefined && compareWithinShard(arrived.place, beginningOf(below)) >= 0) return false;
  return arrivedInTime(run, event);
}

function isInShardOrder({ above, below }: MissingRun, { shardId }: SourceEvent): boolean {
  return (
    [...above.keys()].every((before) => before <= shardId) &&
    [...below.keys()].every((behind) => behind >= shardId)
  );
}

/** The place of a page's first event; that of a page without events is its end. */
function beginningOf({ events, through }: EventPage): ShardPosition {
  return events[0]?.place ?? { ...through, subSequenceNumber: through.subSequenceNumber + 1 };
}

/**
 * Duplicates before the first event of a page behind the run: that page says how many it has dropped in all. What was
 * redriven is none of them: when the page was laid out, it was no event.
 */
function leadingDuplicates(run: MissingRun, events: readonly SourceEvent[]): ReadonlySet<SourceEvent> {
  const leading = new Set<SourceEvent>();
  for (const [shardId, page] of run.below) {
    const beginning = beginningOf(page);
    const covered = events.filter(
      ({ shardId: of, arrived, isRedriven = false }) =>
        of === shardId && !isRedriven && compareWithinShard(arrived.place, page.through) <= 0,
    );
    const before = covered.filter(({ arrived }) => compareWithinShard(arrived.place, beginning) < 0);
    const stored = new Set(
      page.events.map(({ place }) => `${place.sequenceNumber}:${place.subSequenceNumber}`),
    );
    const inside = covered.filter(
      ({ arrived: { place } }) =>
        compareWithinShard(place, beginning) >= 0 &&
        !stored.has(`${place.sequenceNumber}:${place.subSequenceNumber}`),
    );
    const count = page.duplicates - inside.length;
    if (count > 0) for (const event of before.slice(-count)) leading.add(event);
  }
  return leading;
}

function arrivedInTime({ arrivalMaxAfter }: MissingRun, { arrived }: SourceEvent): boolean {
  return arrivalMaxAfter === undefined || arrived.arrivalTime <= arrivalMaxAfter;
}

function isStored({ shardId, arrived }: SourceEvent, stored: ReadonlySet<string>): boolean {
  return stored.has(identityOf(shardId, arrived));
}

async function layOut(
  state: DeviceState,
  { shardId, arrived, isRepaired }: PagePart,
  before: readonly EventPage[],
  receipts: ReceiptLimits,
): Promise<EventPage | undefined> {
  let history: DeviceHistory | undefined;
  for (const _ of [1, 2]) {
    const plan = planPage(state, shardId, arrived, {
      limits: { ...UNBOUNDED, receipts },
      repaired: isRepaired,
      ...(history === undefined ? {} : { history }),
    });
    if (plan.kind === 'page') return plan.taken === arrived.length ? plan.page : undefined;
    if (plan.kind === 'settled') return undefined;
    history = await loadDeviceHistory(await storeOf(before), state, { shardId, arrived });
  }
  return undefined;
}

async function storeOf(pages: readonly EventPage[]): Promise<EventStore> {
  const store = memoryEventStore();
  for (const page of pages) await store.appendPage(page);
  return store;
}
