import { compareWithinShard, type ShardId } from '@twinstream/stream-model';
import { type ArrivedEvent, type DeviceHistory, decideEvent, type KeyedEnd } from './decide-event.ts';
import { withDerivedIdentity } from './derived-identity.ts';
import type { DeviceState } from './device-state.ts';
import { type KeyTrace, keyTrace, type RecentKeys } from './event-key.ts';
import type { EventPage, StoredEvent } from './event-page.ts';
import { applyEvent, applyPageFrame, closeDraft, openDraft } from './fold.ts';
import {
  COMPLETE_RECEIPT_LIMITS,
  copyReceipts,
  type ReceiptLimits,
  type Receipts,
  receive,
  receiveCorrection,
  STATE_RECEIPT_LIMITS,
} from './receipts.ts';
import type { Rejection } from './rejection.ts';

export interface PageLimits {
  readonly eventsMax: number;
  /** Characters of event text. */
  readonly charactersMax: number;
  readonly receipts: ReceiptLimits;
}

/**
 * A page fits an item: 400 KB (DynamoDB developer guide, "Quotas", read 2026-11), at up to three bytes a character
 * only where one event alone is that large (an event holds at most 256 KiB).
 */
export const PAGE_LIMITS: PageLimits = {
  eventsMax: 1_000,
  charactersMax: 100 * 1024,
  receipts: STATE_RECEIPT_LIMITS,
};

/** How many events had which outcome. */
export interface OutcomeCounts {
  /** Stored, in order. */
  applied: number;
  /** Stored, after newer ones: changed only what it is newest for. */
  late: number;
  /** Sent twice: not stored, counted. */
  duplicate: number;
  /** Delivered twice by the stream: not stored, not counted. */
  redelivered: number;
}

export function noOutcomes(): OutcomeCounts {
  return { applied: 0, late: 0, duplicate: 0, redelivered: 0 };
}

/** An event that is not stored, and why: it counts as taken, and leaves no trace in the chain. */
export interface RefusedEvent extends Rejection {
  readonly arrived: ArrivedEvent;
}

/** What to do with the first `taken` of the arrived events. */
export type PagePlan =
  /** Put this page; the state after it is `next`. */
  | {
      readonly kind: 'page';
      readonly page: EventPage;
      readonly next: DeviceState;
      readonly taken: number;
      readonly outcomes: OutcomeCounts;
      readonly refused: readonly RefusedEvent[];
    }
  /** All of them are stored already, or refused: nothing to write. */
  | {
      readonly kind: 'settled';
      readonly taken: number;
      readonly outcomes: OutcomeCounts;
      readonly refused: readonly RefusedEvent[];
    }
  /** Ask again with the device's history: what the state remembers does not decide. */
  | { readonly kind: 'history-needed' };

export interface PlanOptions {
  readonly limits?: PageLimits;
  readonly history?: DeviceHistory;
  /** The end of the chain, where it is at hand: events with a key ask for it. */
  readonly recent?: RecentKeys | undefined;
  /** Marks what is stored as appended by a repair. */
  readonly repaired?: boolean;
  /**
   * Refuses corrections ahead of their device (`correctionAhead`). For acceptance alone, whose state is that of the
   * chain's last page. Default: false; what was accepted once is laid out again as it was.
   */
  readonly refusesAhead?: boolean;
}

/**
 * Decides, event by event, what is new, late, a duplicate or delivered again, and lays out the next page of the
 * device's chain. Pure: calling it again with another state classifies the same events against that one.
 *
 * @param arrived events of this device from one shard, positions rising
 */
export function planPage(
  state: DeviceState,
  shardId: ShardId,
  arrived: readonly ArrivedEvent[],
  { limits = PAGE_LIMITS, history, recent, repaired = false, refusesAhead = false }: PlanOptions = {},
): PagePlan {
  const draft = openDraft(state);
  const known = history && { ...history, receipts: copyReceipts(history.receipts) };
  const outcomes = noOutcomes();
  const events: StoredEvent[] = [];
  const keys = keyedEnd(history?.recent ?? recent ?? (state.page === 0 ? NOTHING_STORED : undefined), events);
  const context = { draft, start: state.current, shardId, history: known, refusesAhead, keys };
  const refused: RefusedEvent[] = [];
  const frame = new PageFrame(state, shardId);
  let characters = 0;
  let taken = 0;
  for (const delivered of arrived) {
    const full =
      events.length >= limits.eventsMax || characters + delivered.text.length > limits.charactersMax;
    if (full && events.length > 0) break;
    const arrival = withDerivedIdentity(context, delivered);
    const decision = typeof arrival === 'string' ? arrival : decideEvent(context, arrival);
    if (decision === 'history-needed') return { kind: 'history-needed' };
    taken += 1;
    if (decision === 'redelivered' || typeof arrival === 'string') {
      outcomes.redelivered += 1;
      continue;
    }
    if (typeof decision === 'object' && 'rejected' in decision) {
      refused.push({ arrived: arrival, ...decision });
      continue;
    }
    frame.see(arrival);
    if (decision === 'duplicate') {
      frame.duplicates += 1;
      outcomes.duplicate += 1;
      continue;
    }
    const stored: StoredEvent = { ...arrival, ...decision, ...(repaired ? { repaired } : {}) };
    applyEvent(draft, shardId, stored, limits.receipts);
    if (known !== undefined) rememberIn(known.receipts, stored);
    events.push(stored);
    characters += arrival.text.length;
    outcomes[decision.late === undefined ? 'applied' : 'late'] += 1;
  }
  const page = frame.close(events);
  if (page === undefined) return { kind: 'settled', taken, outcomes, refused };
  applyPageFrame(draft, page, limits.receipts);
  return { kind: 'page', page, next: closeDraft(draft), taken, outcomes, refused };
}

const NOTHING_STORED: RecentKeys = { traces: [], arrivalMaxBefore: 0, tracesMax: 0 };

/** The end of a chain with the events of a plan, which are looked at when they are asked for, each once. */
function keyedEnd(recent: RecentKeys | undefined, events: readonly StoredEvent[]): KeyedEnd {
  const accepted: KeyTrace[] = [];
  const traces = recent && [...recent.traces];
  const readOn = (): void => {
    for (let index = accepted.length; index < events.length; index += 1) {
      const trace = keyTrace(events[index] as StoredEvent);
      accepted.push(trace);
      traces?.push(trace);
    }
  };
  return {
    recent: () => {
      if (recent === undefined || traces === undefined) return undefined;
      readOn();
      return { ...recent, traces };
    },
    accepted: () => {
      readOn();
      return accepted;
    },
  };
}

function rememberIn(receipts: Receipts, { event, version }: StoredEvent): void {
  if (event.identity !== undefined) receive(receipts, event.identity, COMPLETE_RECEIPT_LIMITS);
  if (event.correction !== undefined) {
    const { correctionId } = event.correction;
    receiveCorrection(receipts, { correctionId, ...version }, COMPLETE_RECEIPT_LIMITS);
  }
}

/** Gathers what a page says of everything it covers, stored or dropped. */
class PageFrame {
  duplicates = 0;
  readonly #state: DeviceState;
  readonly #shardId: ShardId;
  #through: ArrivedEvent | undefined;
  #firstArrivalTime = Number.POSITIVE_INFINITY;
  #lastArrivalTime = 0;
  #heardTime: number | undefined;

  constructor(state: DeviceState, shardId: ShardId) {
    this.#state = state;
    this.#shardId = shardId;
  }

  see(arrival: ArrivedEvent): void {
    if (this.#through === undefined || compareWithinShard(arrival.place, this.#through.place) > 0) {
      this.#through = arrival;
    }
    this.#firstArrivalTime = Math.min(this.#firstArrivalTime, arrival.arrivalTime);
    this.#lastArrivalTime = Math.max(this.#lastArrivalTime, arrival.arrivalTime);
    if (arrival.event.correction === undefined) {
      this.#heardTime = Math.max(this.#heardTime ?? 0, arrival.arrivalTime);
    }
  }

  /** The page, or undefined when nothing was seen that is worth one. */
  close(events: readonly StoredEvent[]): EventPage | undefined {
    if (this.#through === undefined) return undefined;
    return {
      deviceId: this.#state.deviceId,
      page: this.#state.page + 1,
      arrivalMaxBefore: this.#state.arrivalMax,
      shardId: this.#shardId,
      events,
      duplicates: this.duplicates,
      through: this.#through.place,
      throughArrivalTime: this.#through.arrivalTime,
      firstArrivalTime: this.#firstArrivalTime,
      lastArrivalTime: this.#lastArrivalTime,
      ...(this.#heardTime === undefined ? {} : { heardTime: this.#heardTime }),
    };
  }
}
