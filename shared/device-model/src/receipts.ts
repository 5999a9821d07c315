import type { CountedIdentity } from './device-event.ts';

/** Counters from `first` to `last`, both received. */
export interface CounterRange {
  first: number;
  last: number;
}

/** Which counters of one session were received. */
export interface SessionReceipts {
  lowest: number;
  highest: number;
  /** Rising, disjoint, never adjacent. */
  ranges: CounterRange[];
  /** Ranges at or below it were dropped: whether such a counter was received is not known here. Only rises. */
  floor?: number;
}

/** A correction that was accepted. */
export interface CorrectionReceipt {
  readonly correctionId: string;
  /** The version that it corrects. */
  readonly session: number;
  readonly counter: number;
  readonly ordinal: number;
  readonly revision: number;
}

/**
 * What was received of one device: the exact memory by which duplicates and late events are told apart. Bounded receipts
 * forget from the oldest and know that they did; complete ones (unbounded limits) forget nothing.
 */
export interface Receipts {
  sessions: Map<number, SessionReceipts>;
  /** Sessions at or below it may have been dropped. Only rises. */
  sessionFloor?: number;
  corrections: CorrectionReceipt[];
  /** How many corrections were dropped. */
  correctionsDropped: number;
}

/** How much a state remembers. */
export interface ReceiptLimits {
  readonly sessionsMax: number;
  /** Ranges per session. */
  readonly rangesMax: number;
  readonly correctionsMax: number;
  /** Shards whose high-water marks are kept. A device meets a new shard only when its stream is resharded. */
  readonly marksMax: number;
  /** What the names of all attributes, removed ones included, may take: see `attribute-bound.ts`. */
  readonly attributeNameBytesMax: number;
}

/** What the state item keeps. In the steady state one session with one range is all there is. */
export const STATE_RECEIPT_LIMITS: ReceiptLimits = {
  sessionsMax: 2,
  rangesMax: 64,
  correctionsMax: 16,
  marksMax: 16,
  // Of the 400 KB of an item (DynamoDB developer guide, "Quotas", read 2026-11): the rest is left for values and receipts.
  attributeNameBytesMax: 256 * 1_024,
};

/** What a snapshot keeps: everything. */
export const COMPLETE_RECEIPT_LIMITS: ReceiptLimits = {
  sessionsMax: Number.POSITIVE_INFINITY,
  rangesMax: Number.POSITIVE_INFINITY,
  correctionsMax: Number.POSITIVE_INFINITY,
  marksMax: Number.POSITIVE_INFINITY,
  attributeNameBytesMax: Number.POSITIVE_INFINITY,
};

export function noReceipts(): Receipts {
  return { sessions: new Map(), corrections: [], correctionsDropped: 0 };
}

export function copyReceipts(receipts: Receipts): Receipts {
  const sessions = new Map<number, SessionReceipts>();
  for (const [session, known] of receipts.sessions) {
    sessions.set(session, { ...known, ranges: known.ranges.map(({ first, last }) => ({ first, last })) });
  }
  return { ...receipts, sessions, corrections: [...receipts.corrections] };
}

/** True when nothing was ever forgotten, so that the bounded receipts are the complete ones. */
export function areComplete(receipts: Receipts): boolean {
  if (receipts.sessionFloor !== undefined || receipts.correctionsDropped > 0) return false;
  for (const session of receipts.sessions.values()) if (session.floor !== undefined) return false;
  return true;
}

/** Whether a counter was received: `unknown` where these receipts have forgotten, and the event store decides. */
export function lookUp(
  receipts: Receipts,
  { session, counter }: CountedIdentity,
): 'received' | 'new' | 'unknown' {
  const known = receipts.sessions.get(session);
  if (known === undefined) {
    return receipts.sessionFloor !== undefined && session <= receipts.sessionFloor ? 'unknown' : 'new';
  }
  if (counter < known.lowest || counter > known.highest) return 'new';
  for (let index = known.ranges.length - 1; index >= 0; index -= 1) {
    const range = known.ranges[index] as CounterRange;
    if (counter > range.last) break;
    if (counter >= range.first) return 'received';
  }
  return known.floor !== undefined && counter <= known.floor ? 'unknown' : 'new';
}

/**
 * By how much receiving this new counter changes the gaps of its session, where gaps = highest - lowest + 1 - received.
 * A jump opens a gap of known size; a late event closes one.
 */
export function gapChange(receipts: Receipts, { session, counter }: CountedIdentity): number {
  const known = receipts.sessions.get(session);
  if (known === undefined) return 0;
  if (counter > known.highest) return counter - known.highest - 1;
  if (counter < known.lowest) return known.lowest - counter - 1;
  return -1;
}

/** Largest number of gaps that a double counts exactly; counts do not rise beyond it. */
export const GAPS_MAX = Number.MAX_SAFE_INTEGER;

/** Gaps after a change: an exact number up to {@link GAPS_MAX}. Once there it stays, because what lay beyond is not known. */
export function moreGaps(gaps: number, change: number): number {
  return gaps >= GAPS_MAX ? GAPS_MAX : Math.min(GAPS_MAX, gaps + change);
}

/** Enters a counter, in place. Nothing happens where the receipts have already forgotten that far back. */
export function receive(receipts: Receipts, identity: CountedIdentity, limits: ReceiptLimits): void {
  const { session, counter } = identity;
  const known = receipts.sessions.get(session);
  if (known === undefined) {
    if (receipts.sessionFloor !== undefined && session <= receipts.sessionFloor) return;
    receipts.sessions.set(session, {
      lowest: counter,
      highest: counter,
      ranges: [{ first: counter, last: counter }],
    });
    dropOldestSessions(receipts, limits.sessionsMax);
    return;
  }
  known.lowest = Math.min(known.lowest, counter);
  known.highest = Math.max(known.highest, counter);
  if (known.floor !== undefined && counter <= known.floor) return;
  insert(known.ranges, counter);
  dropOldestRanges(known, limits.rangesMax);
}

function insert(ranges: CounterRange[], counter: number): void {
  let index = ranges.length;
  while (index > 0 && (ranges[index - 1] as CounterRange).first > counter) index -= 1;
  const before = ranges[index - 1];
  const after = ranges[index];
  if (before !== undefined && counter <= before.last) return;
  const joinsBefore = before !== undefined && before.last + 1 === counter;
  const joinsAfter = after !== undefined && after.first - 1 === counter;
  if (joinsBefore && joinsAfter) {
    before.last = after.last;
    ranges.splice(index, 1);
  } else if (joinsBefore) before.last = counter;
  else if (joinsAfter) after.first = counter;
  else ranges.splice(index, 0, { first: counter, last: counter });
}

function dropOldestRanges(known: SessionReceipts, rangesMax: number): void {
  while (known.ranges.length > rangesMax) {
    const dropped = known.ranges.shift() as CounterRange;
    known.floor = Math.max(known.floor ?? dropped.last, dropped.last);
  }
}

function dropOldestSessions(receipts: Receipts, sessionsMax: number): void {
  while (receipts.sessions.size > sessionsMax) {
    const oldest = Math.min(...receipts.sessions.keys());
    receipts.sessions.delete(oldest);
    receipts.sessionFloor = Math.max(receipts.sessionFloor ?? oldest, oldest);
  }
}

/** Enters an accepted correction, in place. */
export function receiveCorrection(
  receipts: Receipts,
  receipt: CorrectionReceipt,
  limits: ReceiptLimits,
): void {
  receipts.corrections.push(receipt);
  while (receipts.corrections.length > limits.correctionsMax) {
    receipts.corrections.shift();
    receipts.correctionsDropped += 1;
  }
}
