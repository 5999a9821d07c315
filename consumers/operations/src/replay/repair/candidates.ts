import type { ArrivedEvent, EventPage } from '@twinstream/device-model';
import { compareWithinShard, type ShardId, type ShardPosition } from '@twinstream/stream-model';
import { identityOf } from '@twinstream/verification';
import { type DamagedChain, type MissingRun, owedShards } from './missing-run.ts';

/** An event of a damaged device as a source returns it. */
export interface SourceEvent {
  readonly shardId: ShardId;
  readonly arrived: ArrivedEvent;
  /** True for what was redriven from quarantine: it was appended marked repaired, out of its shard's order. */
  readonly isRedriven?: boolean;
}

/** Events that may be those of a run, in the order of their shards. */
export interface Candidate {
  readonly events: readonly SourceEvent[];
  readonly isRepaired: boolean;
  /** Whether those of the shard that arrived first come first; otherwise those of the lowest id. */
  readonly isByArrival: boolean;
}

/** What the pages and the state of a damaged chain say of the pages that are missing. */
export interface Evidence {
  /** Identities of events that are stored. */
  readonly stored: ReadonlySet<string>;
  /** Shards that some of the missing pages are of. */
  readonly owed: ReadonlySet<ShardId>;
}

export function evidenceOf({ pages, live }: Pick<DamagedChain, 'pages' | 'live'>): Evidence {
  const stored = pages.flatMap(({ shardId, events }) => events.map((event) => identityOf(shardId, event)));
  return { stored: new Set(stored), owed: owedShards({ pages, live }) };
}

/** What a strategy chooses from. */
interface Choice {
  readonly run: MissingRun;
  /** Events that no other run holds. */
  readonly free: readonly SourceEvent[];
  /** Those between the pages around the run, without the duplicates that the next page has dropped. */
  readonly between: readonly SourceEvent[];
  /** Those of them that were not redriven. */
  readonly within: readonly SourceEvent[];
  /** As `between`, in a chain that a replay wrote whole: the next page may have dropped what was redriven, too. */
  readonly betweenRedriven: readonly SourceEvent[];
  /** Shards that the state has seen more of than the pages hold, none of which comes after the run. */
  readonly owing: ReadonlySet<ShardId>;
  readonly stored: ReadonlySet<string>;
}

interface Strategy {
  readonly isRepaired?: true;
  /** Undefined where the strategy does not apply. */
  readonly choose: (choice: Choice) => readonly SourceEvent[] | undefined;
}

/**
 * Ways to tell which events a run held, the likeliest first. Beside those that the repair began with stands the seed of the
 * simulation that showed the need of another, as the simulation was then.
 */
const STRATEGIES: Readonly<Record<string, Strategy>> = {
  /** A device moves from a parent to its child, whose id is higher, unless the state says that it came back (seed 53421). */
  inShardOrderOrOwing: {
    choose: ({ run, within, owing }) =>
      within.filter((event) => isInShardOrder(run, event) || owing.has(event.shardId)),
  },
  /** The rule without exception: a shard that the state has seen more of may be owed by another run (seed 92588 showed that). */
  inShardOrder: { choose: ({ run, within }) => within.filter((event) => isInShardOrder(run, event)) },
  /** A copy that was dropped as delivered again, below the floor of the high-water marks, has left no trace (seed 124488). */
  withoutCopies: { choose: ({ within, stored }) => within.filter((event) => !isStored(event, stored)) },
  /** Nor has one that came after the last event of the run (seeds 74898, 75609). */
  withoutTrailingCopies: { choose: ({ within, stored }) => withoutTrailingCopies(within, stored) },
  /** A chain that a replay of the event store wrote has seen no copy at all (seed 79257). */
  firstCopies: { choose: ({ within, stored }) => firstOfCopies(within, stored) },
  /** Of two copies the mapping may have given up the first (seed 54763). */
  laterCopies: { choose: ({ within }) => lastOfCopies(within) },
  /** After a split both children may hold its events, or their copies (seed 40143). */
  ofEveryShard: { choose: ({ within }) => within },
  /** Copies in a shard of which the state has seen nothing had not come by then (seed 78281). */
  owing: { choose: ({ within, owing }) => within.filter(({ shardId }) => owing.has(shardId)) },
  /** A page of counted events after the run may have been delivered late, and then bounds nothing (seed 21563). */
  beforeLate: {
    choose: ({ run, free }) =>
      [...run.below.values()].some(isLate) ? free.filter((event) => isAfterEarlier(run, event)) : undefined,
  },
  /** A page that a repair or a redrive appended holds events from below the high-water marks of its time. */
  appendedNew: {
    isRepaired: true,
    choose: (choice) => appended(choice)?.filter((event) => !isStored(event, choice.stored)),
  },
  /** Or nothing but duplicates (seed 47380). */
  appendedCopies: { isRepaired: true, choose: appended },
  /** A chain that a replay wrote whole holds redriven entries in their own places (seed 2633). */
  redrivenInPlace: { choose: ({ between }) => between },
  /** Or has dropped them there as duplicates (seed 57431). */
  redrivenDropped: { choose: ({ betweenRedriven }) => betweenRedriven },
  /** A promotion may have carried over the page after the run, which then bounds nothing either (seed 99572). */
  beforeCarriedOver: { choose: ({ run, free }) => free.filter((event) => isAfterEarlier(run, event)) },
};

/** Which events a run may have held, by each strategy that applies; each choice once. */
export function candidatesOf(
  run: MissingRun,
  free: readonly SourceEvent[],
  { stored, owed }: Evidence,
): readonly Candidate[] {
  const beforeNext = (redriven: 'none' | 'all') => {
    const ofNext = leadingDuplicates(run, free, redriven);
    return free.filter((event) => !ofNext.has(event) && isBetween(run, event));
  };
  const between = beforeNext('none');
  const within = between.filter(({ isRedriven }) => isRedriven !== true);
  const owing = new Set([...owed].filter((shardId) => !run.below.has(shardId)));
  const betweenRedriven = beforeNext('all');
  const choice = { run, free, between, betweenRedriven, within, owing, stored };
  const candidates: Candidate[] = [];
  for (const { isRepaired = false, choose } of Object.values(STRATEGIES)) {
    const events = choose(choice);
    if (events === undefined) continue;
    const candidate = { events, isRepaired, isByArrival: false };
    if (!candidates.some((earlier) => isSame(earlier, candidate))) candidates.push(candidate);
  }
  // Copies that a producer put after a split may have come to the child of the lower id last (seed 18027).
  const others = candidates.filter(({ events }) => !isFirstArrivalByShard(events));
  return [...candidates, ...others.map((candidate) => ({ ...candidate, isByArrival: true }))];
}

/** True where the shard of the lowest id has the first arrival, the next one the next, and so on. */
function isFirstArrivalByShard(events: readonly SourceEvent[]): boolean {
  const byShard = [...Map.groupBy(events, ({ shardId }) => shardId)].sort(([a], [b]) => (a < b ? -1 : 1));
  return byShard.every(([, own], index) => {
    const before = byShard[index - 1]?.[1];
    return before === undefined || firstArrivalOf(before) <= firstArrivalOf(own);
  });
}

/** Milliseconds since 1970. */
export function firstArrivalOf(events: readonly SourceEvent[]): number {
  return events.reduce(
    (first, { arrived }) => Math.min(first, arrived.arrivalTime),
    Number.POSITIVE_INFINITY,
  );
}

/** The first event of each identity that is not stored. */
function firstOfCopies(events: readonly SourceEvent[], stored: ReadonlySet<string>): readonly SourceEvent[] {
  const seen = new Set(stored);
  return events.filter(({ shardId, arrived }) => {
    const identity = identityOf(shardId, arrived);
    const isFirst = !seen.has(identity);
    seen.add(identity);
    return isFirst;
  });
}

/** In each shard all up to the last event that is no copy of one that is stored, or that comes before it. */
function withoutTrailingCopies(
  events: readonly SourceEvent[],
  stored: ReadonlySet<string>,
): readonly SourceEvent[] {
  const lastNew = new Map(firstOfCopies(events, stored).map((event) => [event.shardId, event.arrived.place]));
  return events.filter(({ shardId, arrived }) => {
    const last = lastNew.get(shardId);
    return last !== undefined && compareWithinShard(arrived.place, last) <= 0;
  });
}

/** The last event of each identity. */
function lastOfCopies(events: readonly SourceEvent[]): readonly SourceEvent[] {
  const last = new Map(events.map((event) => [identityOf(event.shardId, event.arrived), event]));
  return events.filter((event) => last.get(identityOf(event.shardId, event.arrived)) === event);
}

/** What had arrived by the end of the run, where nothing lies within it. */
function appended({ run, free, within }: Choice): readonly SourceEvent[] | undefined {
  return within.length > 0 ? undefined : free.filter((event) => arrivedInTime(run, event));
}

function isSame(one: Candidate, other: Candidate): boolean {
  return (
    one.isRepaired === other.isRepaired &&
    one.events.length === other.events.length &&
    one.events.every((event, index) => event === other.events[index])
  );
}

function isBetween(run: MissingRun, event: SourceEvent): boolean {
  const { shardId, arrived } = event;
  const below = run.below.get(shardId);
  if (below !== undefined && compareWithinShard(arrived.place, beginningOf(below)) >= 0) return false;
  return isAfterEarlier(run, event);
}

function isLate({ events }: EventPage): boolean {
  return events.some(({ late }) => late !== undefined);
}

/** True where the event lies above the pages before the run, and had arrived by its end. */
function isAfterEarlier(run: MissingRun, event: SourceEvent): boolean {
  const above = run.above.get(event.shardId);
  return (
    (above === undefined || compareWithinShard(event.arrived.place, above) > 0) && arrivedInTime(run, event)
  );
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
 * redriven is none of them (`none`), because it was no event when the page was laid out, or may be one (`all`).
 */
function leadingDuplicates(
  run: MissingRun,
  events: readonly SourceEvent[],
  redriven: 'none' | 'all',
): ReadonlySet<SourceEvent> {
  const leading = new Set<SourceEvent>();
  for (const [shardId, page] of run.below) {
    const beginning = beginningOf(page);
    const covered = events.filter(
      ({ shardId: of, arrived, isRedriven = false }) =>
        of === shardId &&
        (!isRedriven || redriven === 'all') &&
        compareWithinShard(arrived.place, page.through) <= 0,
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
