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
import type { ShardId } from '@twinstream/stream-model';
import { type Candidate, candidatesOf, evidenceOf, firstArrivalOf, type SourceEvent } from './candidates.ts';
import { contradiction, countsDuplicatesAs } from './live-evidence.ts';
import type { DamagedChain, MissingRun } from './missing-run.ts';

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
 * live state does not contradict; of these the first that counts as many duplicates as that, if there is one. Throws `PAGES_NOT_RESTORABLE` where there is none: when the source does not hold what the
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
  const evidence = evidenceOf({ pages, live });
  let layoutCount = 0;
  let countingOthers: readonly EventPage[] | undefined;
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
      if (lastRun === undefined) return restored;
      if (why !== undefined) {
        refusal = { run: lastRun, why };
        return undefined;
      }
      if (live === undefined || countsDuplicatesAs(live, chain)) return restored;
      countingOthers ??= restored;
      return undefined;
    }
    const chain = before(from, run.firstPage);
    const free = events.filter((event) => !chain.taken.has(event));
    const pagesBefore = [...pages.slice(0, chain.index), ...chain.restored];
    let isJoined = false;
    let why = 'the source has too few of its events';
    for (const candidate of candidatesOf(run, free, evidence)) {
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
  const restored = (await search(start, 0)) ?? countingOthers;
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
function partsOf(
  run: MissingRun,
  { events, isRepaired, isByArrival }: Candidate,
): readonly PagePart[] | undefined {
  const pageCount = run.lastPage - run.firstPage + 1;
  const segments = [...Map.groupBy(events, ({ shardId }) => shardId)].sort(([a, ofA], [b, ofB]) =>
    isByArrival ? firstArrivalOf(ofA) - firstArrivalOf(ofB) : a < b ? -1 : 1,
  );
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
