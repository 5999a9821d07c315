import {
  compareWithinShard,
  type Position,
  type ShardId,
  type ShardPosition,
} from '@twinstream/stream-model';
import { correctionAhead } from './correction-ahead.ts';
import type { Correction, CountedIdentity, DeviceEvent } from './device-event.ts';
import type { DeviceState } from './device-state.ts';
import { type EventKey, findCopy, type KeyTrace, keyOf, type RecentKeys } from './event-key.ts';
import type { StoredEvent } from './event-page.ts';
import { compareVersions, type EventVersion, NO_VERSION } from './event-version.ts';
import type { StateDraft } from './fold.ts';
import { type CorrectionReceipt, gapChange, lookUp, type Receipts } from './receipts.ts';
import type { Rejection } from './rejection.ts';
import type { SourceCounter } from './source-counter.ts';

/** An event of one device that a shard delivered. */
export interface ArrivedEvent {
  readonly place: ShardPosition;
  /** Milliseconds since 1970. */
  readonly arrivalTime: number;
  readonly event: DeviceEvent;
  readonly text: string;
  /** What its source counts by; the identity of the event is derived from it, and not a part of the event yet. */
  readonly sourceCounter?: SourceCounter;
}

/** What the event store knows of a device beyond what its state remembers, as of the state's own page. */
export interface DeviceHistory {
  readonly receipts: Readonly<Receipts>;
  /** Whether the event at this position is stored. */
  has(position: Position): boolean;
  /**
   * The stored event of the same source counter and time ({@link isCopy}), if there is one: where no event of its own shard is
   * stored before this position, and as far as pages were read otherwise.
   */
  copyOf(position: Position, arrived: ArrivedEvent): Pick<StoredEvent, 'event'> | undefined;
  /**
   * Whether a copy ({@link findCopy}) of an event with a key is stored; undefined where the end of the chain tells.
   *
   * @param accepted what was accepted since, in its order
   */
  hasCopyByKey(position: Position, key: EventKey, accepted: readonly KeyTrace[]): boolean | undefined;
  /** The end of the chain, where one of the events has a key and is above the high-water mark of its shard. */
  readonly recent?: RecentKeys;
  /** The nearest stored event before this position, corrections and late events left out; undefined when there is none. */
  eventBefore(position: Position, arrivalTime: number): Pick<StoredEvent, 'event' | 'version'> | undefined;
}

/** What becomes of an event: stored under a version, or not, and why. */
export type Decision =
  | 'redelivered'
  | 'duplicate'
  | 'history-needed'
  | Rejection
  | Pick<StoredEvent, 'version' | 'late'>;

/** What a decision is made by, besides the event. */
export interface DecisionContext {
  readonly draft: StateDraft;
  /** The device's newest event before this plan, which `history` is as of. */
  readonly start: DeviceState['current'];
  readonly shardId: ShardId;
  readonly history: DeviceHistory | undefined;
  readonly refusesAhead: boolean;
  readonly keys: KeyedEnd;
}

/** The end of the chain with what this plan has accepted so far. */
export interface KeyedEnd {
  /** Undefined where the end of the chain is not at hand. */
  recent(): RecentKeys | undefined;
  accepted(): readonly KeyTrace[];
}

/** Where the place of an event lies: above the high-water mark of its shard, or not ({@link isBelowHighWaterMark}). */
type Mark = 'above' | 'below';
/** What the receipts say of the identity of an event. `unknown`: they have forgotten, and the history is not at hand. */
type Receipt = 'received' | 'new' | 'unknown';
type Cell<Identity> = (context: DecisionContext, arrival: ArrivedEvent, identity: Identity) => Decision;
type Rows<Identity> = Readonly<Record<Receipt, Readonly<Record<Mark, Cell<Identity>>>>>;

const duplicate = () => 'duplicate' as const;
const redelivered = () => 'redelivered' as const;
const askHistory = () => 'history-needed' as const;

/** What an event is identified by, what the receipts say of that, and where its place lies decide what becomes of it. */
const DECISIONS: {
  readonly counted: Rows<CountedIdentity>;
  readonly correction: Rows<Correction>;
  readonly keyed: Rows<EventKey>;
  readonly uncounted: Rows<undefined>;
} = {
  counted: {
    new: { above: storeCounted, below: storeCounted },
    received: { above: duplicate, below: redelivered },
    unknown: { above: askHistory, below: askHistory },
  },
  correction: {
    new: { above: storeCorrection, below: storeCorrection },
    received: { above: duplicate, below: redelivered },
    unknown: { above: askHistory, below: askHistory },
  },
  // A key says what is a copy, and nothing of order.
  keyed: {
    new: { above: storeNewest, below: storeInItsPlace },
    received: { above: duplicate, below: redelivered },
    unknown: { above: askHistory, below: askHistory },
  },
  // Its position is all the identity it has: above the high-water mark of its shard it is always new.
  uncounted: {
    new: { above: storeNewest, below: storeInItsPlace },
    received: { above: impossible, below: redelivered },
    unknown: { above: impossible, below: askHistory },
  },
};

export function decideEvent(context: DecisionContext, arrival: ArrivedEvent): Decision {
  const { identity, correction } = arrival.event;
  const mark = isBelowHighWaterMark(context.draft, context.shardId, arrival) ? 'below' : 'above';
  if (correction !== undefined) {
    return DECISIONS.correction[receiptOfCorrection(context, correction)][mark](context, arrival, correction);
  }
  if (identity !== undefined) {
    return DECISIONS.counted[receiptOfCounted(context, identity)][mark](context, arrival, identity);
  }
  const key = keyOf(arrival.text);
  if (key !== undefined) {
    return DECISIONS.keyed[receiptOfKey(context, arrival, key, mark)][mark](context, arrival, key);
  }
  return DECISIONS.uncounted[receiptOfPlace(context, arrival, mark)][mark](context, arrival, undefined);
}

/**
 * True where the place of an event does not say that it is new: at or below the highest position seen of its shard, or
 * where a higher high-water mark may have been dropped, even if a lower one was set since. What is uncounted and not below is new.
 */
export function isBelowHighWaterMark(
  { marks, marksFloor }: Pick<DeviceState, 'marks' | 'marksFloor'>,
  shardId: ShardId,
  { place, arrivalTime }: Pick<ArrivedEvent, 'place' | 'arrivalTime'>,
): boolean {
  const mark = marks.get(shardId);
  if (mark !== undefined && compareWithinShard(place, mark) <= 0) return true;
  return marksFloor !== undefined && arrivalTime <= marksFloor;
}

/**
 * True where the device has come further in another shard than this event's arrival: a parent whose last batch was given up, or
 * whose last invocation ended after its child was read, is above its high-water mark and yet not the device's newest.
 */
export function isOvertaken(
  { marks }: Pick<DeviceState, 'marks'>,
  shardId: ShardId,
  { arrivalTime }: Pick<ArrivedEvent, 'arrivalTime'>,
): boolean {
  for (const [other, mark] of marks) if (other !== shardId && mark.arrivalTime > arrivalTime) return true;
  return false;
}

export function receiptOfCounted({ draft, history }: DecisionContext, identity: CountedIdentity): Receipt {
  const known = lookUp(draft.receipts, identity);
  return known === 'unknown' && history !== undefined ? lookUp(history.receipts, identity) : known;
}

function receiptOfCorrection(context: DecisionContext, { correctionId }: Correction): Receipt {
  if (context.history === undefined && context.draft.receipts.correctionsDropped > 0) return 'unknown';
  return knownCorrections(context).some((known) => known.correctionId === correctionId) ? 'received' : 'new';
}

function receiptOfPlace({ shardId, history }: DecisionContext, { place }: ArrivedEvent, mark: Mark): Receipt {
  if (mark === 'above') return 'new';
  if (history === undefined) return 'unknown';
  return history.has({ shardId, ...place }) ? 'received' : 'new';
}

function receiptOfKey(
  { shardId, history, keys }: DecisionContext,
  { place, arrivalTime }: ArrivedEvent,
  key: EventKey,
  mark: Mark,
): Receipt {
  const position = { shardId, ...place };
  if (mark === 'below' && history === undefined) return 'unknown';
  if (mark === 'below' && history?.has(position) === true) return 'received';
  const answer = history?.hasCopyByKey(position, key, keys.accepted());
  if (answer !== undefined) return answer ? 'received' : 'new';
  const recent = keys.recent();
  if (recent === undefined) return 'unknown';
  const { traces: before, arrivalMaxBefore } = recent;
  const found = findCopy(key, arrivalTime, { before, after: [], arrivalMaxBefore });
  return found === 'copy' ? 'received' : found === 'none' ? 'new' : 'unknown';
}

function knownCorrections({ draft, history }: DecisionContext): readonly CorrectionReceipt[] {
  return history?.receipts.corrections ?? draft.receipts.corrections;
}

/** Late where the device has come further. */
function storeCounted(
  { draft, history }: DecisionContext,
  _: ArrivedEvent,
  identity: CountedIdentity,
): Decision {
  const version: EventVersion = { ...identity, ordinal: 0, revision: 0 };
  const { session, counter } = draft.current;
  const isLate = identity.session < session || (identity.session === session && identity.counter < counter);
  if (!isLate) return { version };
  return { version, late: { gapChange: gapChange(history?.receipts ?? draft.receipts, identity) } };
}

/** Under the next revision of what it corrects: the event that it names, or the newest of the attributes that it sets. */
function storeCorrection(
  context: DecisionContext,
  { event }: ArrivedEvent,
  { corrects }: Correction,
): Decision {
  const ahead = context.refusesAhead ? correctionAhead(context.draft, event) : undefined;
  if (ahead !== undefined) return ahead;
  const { session, counter, ordinal } =
    corrects === undefined ? newestVersionOf(context.draft, event.data) : { ...corrects, ordinal: 0 };
  let revision = 0;
  for (const earlier of knownCorrections(context)) {
    if (earlier.session === session && earlier.counter === counter && earlier.ordinal === ordinal) {
      revision = Math.max(revision, earlier.revision);
    }
  }
  return { version: { session, counter, ordinal, revision: revision + 1 } };
}

/** After everything that is stored. */
function storeNewest({ draft }: DecisionContext): Decision {
  return { version: { ...draft.current, ordinal: draft.ordinal + 1, revision: 0 } };
}

/** After the stored event that comes before its position. */
function storeInItsPlace(
  { shardId, history }: DecisionContext,
  { place, arrivalTime }: ArrivedEvent,
): Decision {
  const position = { shardId, ...place };
  const { session, counter, ordinal } = history?.eventBefore(position, arrivalTime)?.version ?? NO_VERSION;
  return { version: { session, counter, ordinal, revision: 0, position }, late: { gapChange: 0 } };
}

function impossible(): never {
  throw new TypeError('an event without a counter is new above the high-water mark');
}

/** The newest version among the attributes that a correction sets, or where the device stands when it has none of them. */
function newestVersionOf(draft: StateDraft, data: DeviceEvent['data']): EventVersion {
  let newest: EventVersion | undefined;
  for (const name of Object.keys(data)) {
    const version = draft.attributes.get(name)?.version;
    if (version !== undefined && (newest === undefined || compareVersions(version, newest) > 0))
      newest = version;
  }
  return newest ?? { ...draft.current, ordinal: draft.ordinal, revision: 0 };
}
