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
 * Layouts of a chain that are tried at most. Each choice of candidates that joins the pages around its run is one; what the
 * simulation found needs three.
 */
const LAYOUTS_MAX = 100;

/** A chain up to one of its runs, restored. */
interface RestoredChain {
  /** After `index` pages that are there and all that are restored. */
  readonly state: DeviceState;
  readonly index: number;
  readonly restored: readonly EventPage[];
  readonly taken: ReadonlySet<SourceEvent>;
  /** State at the page of the live state, where a page boundary that is known lies there. */
  readonly atLivePage?: DeviceState;
}

/**
 * The missing pages of a chain, laid out again under their own numbers from the source's events. Where one page is
 * missing it comes out as it was; where neighbours are missing, too, their events, positions and order do, and the state
 * behind them, but the boundaries between them are not known any more.
 *
 * Searches the candidates of each run, the likeliest first, for a layout that joins every page around the runs and that the
 * live state does not contradict. Throws `PAGES_NOT_RESTORABLE` where there is none: when the source does not hold what the
 * missing pages held, or when its order is not theirs because a repair had appended some among them. Then nothing of the
 * device is written, since a page under a false key would part the chain for good.
 *
 * @param limits what the states remembered that the pages were laid out upon: it decides what counted as late
 * @param events of this device, those that no page covers at least, in the order of their shards
 */
export async function restoredPages(
  { deviceId, pages, runs, live }: DamagedChain,
  events: readonly SourceEvent[],
  limits: ReceiptLimits,
): Promise<readonly EventPage[]> {
  const evidence = { stored: storedIdentities(pages), owed: owedShards({ pages, live }) };
  let layoutCount = 0;
  let refusal: { readonly run: MissingRun; readonly why: string } | undefined;

  const after = (chain: RestoredChain, page: EventPage): RestoredChain => {
    const state = foldPage(chain.state, page, limits);
    const isLivePage = state.page === live?.page && !runs.some((run) => isInside(run, state.page));
    return { ...chain, state, ...(isLivePage ? { atLivePage: state } : {}) };
  };
  /** Moves over the pages that are there, up to a page number. */
  const before = (from: RestoredChain, pageNumber: number): RestoredChain => {
    let chain = from;
    for (
      let page = pages[chain.index];
      page !== undefined && page.page < pageNumber;
      page = pages[chain.index]
    )
      chain = { ...after(chain, page), index: chain.index + 1 };
    return chain;
  };
  const search = async (from: RestoredChain, runIndex: number): Promise<readonly EventPage[] | undefined> => {
    const run = runs[runIndex];
    if (run === undefined) {
      layoutCount += 1;
      const { state: end, restored, atLivePage } = before(from, Number.POSITIVE_INFINITY);
      const chain = { end, ...(atLivePage === undefined ? {} : { atLivePage }) };
      const why = live === undefined ? undefined : contradiction(live, chain);
      const lastRun = runs.at(-1);
      if (why === undefined || lastRun === undefined) return restored;
      refusal = { run: lastRun, why };
      return undefined;
    }
    const chain = before(from, run.firstPage);
    const free = events.filter((event) => !chain.taken.has(event));
    const pagesBefore = [...pages.slice(0, chain.index), ...chain.restored];
    let isJoined = false;
    let why = 'the source has too few of its events';
    for (const candidate of distinct(candidatesOf(run, free, evidence))) {
      if (layoutCount >= LAYOUTS_MAX) return undefined;
      const found = await laidOut(run, chain.state, candidate, pagesBefore, limits);
      if (typeof found === 'string') {
        why = found;
        continue;
      }
      isJoined = true;
      const taken = new Set([...chain.taken, ...candidate.events]);
      const next = found.reduce(after, { ...chain, taken, restored: [...chain.restored, ...found] });
      const restored = await search(next, runIndex + 1);
      if (restored !== undefined) return restored;
    }
    if (!isJoined) refusal ??= { run, why };
    return undefined;
  };

  const start = { state: newDevice(deviceId), index: 0, restored: [], taken: new Set<SourceEvent>() };
  const restored = await search(start, 0);
  if (restored !== undefined) return restored;
  const { run, why } = refusal ?? { run: runs.at(-1), why: 'too many layouts of its pages are possible' };
  const { firstPage = 1, lastPage = 1 } = run ?? {};
  const numbers = firstPage === lastPage ? `page ${firstPage}` : `pages ${firstPage} to ${lastPage}`;
  throw new CodedError('PAGES_NOT_RESTORABLE', `${numbers} of ${deviceId} cannot be restored: ${why}`);
}

/** True where a boundary between restored neighbours lies behind this page. */
function isInside({ firstPage, lastPage }: MissingRun, page: number): boolean {
  return page >= firstPage && page < lastPage;
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

/** Candidates without those that hold the same events as one before them. */
function distinct(candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.filter(
    (candidate, index) => !candidates.slice(0, index).some((earlier) => isSame(earlier, candidate)),
  );
}

function isSame(one: Candidate, other: Candidate): boolean {
  return (
    one.isRepaired === other.isRepaired &&
    one.events.length === other.events.length &&
    one.events.every((event, index) => event === other.events[index])
  );
}

/** The pages of a run from a candidate, where they join what lies before and after the run; otherwise why they do not. */
async function laidOut(
  run: MissingRun,
  before: DeviceState,
  candidate: Candidate,
  pagesBefore: readonly EventPage[],
  limits: ReceiptLimits,
): Promise<readonly EventPage[] | string> {
  const parts = partsOf(run, candidate);
  if (parts === undefined) return 'the source has too few of its events';
  const pages: EventPage[] = [];
  let state = before;
  for (const part of parts) {
    const page = await layOut(state, part, [...pagesBefore, ...pages], limits);
    if (page === undefined) return 'an event of the source is none of its events';
    pages.push(page);
    state = foldPage(state, page, limits);
  }
  const isJoined = run.arrivalMaxAfter === undefined || state.arrivalMax === run.arrivalMaxAfter;
  return isJoined ? pages : 'what the source has does not join the page behind it';
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
