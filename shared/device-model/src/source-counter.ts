import type { CountedIdentity, DeviceEvent } from './device-event.ts';
import type { StoredEvent } from './event-page.ts';

/**
 * What a source counts by that has no session and no counter of its own: a number that wraps, or that begins again without
 * saying so. LoRaWAN's frame counter, Sparkplug's `seq`. The identity is derived from it when the event is accepted.
 */
export interface SourceCounter {
  /** From 0, below 2^bits. */
  readonly counter: number;
  /** Bits of the counter; after 2^bits − 1 comes 0. */
  readonly bits: number;
  /** How far back an event may come and still be late or sent again. At most a quarter of the counter's range. */
  readonly lateMax: number;
  /** Whether the source says that it begins again with this event. */
  readonly restart: boolean;
}

/** The device's newest event at the time: its identity, session and counter -1 where there is none, and its own time. */
export interface EventBefore extends CountedIdentity {
  /** Milliseconds since 1970. */
  readonly timeMs?: number;
}

/** What a counter says, compared with the event before it. */
export type DerivedIdentity = {
  readonly kind: 'same-session' | 'restart';
  readonly identity: CountedIdentity;
};

/**
 * Session and counter of an event, from the one before it. Pure: the same two give the same identity.
 *
 * - Up to half of the range ahead: the same session, that much higher. A wrap is one of them.
 * - Up to `lateMax` back, or equal, and not later by the device's own time: the same session, that much lower. It is late or
 *   was sent again; the receipts tell which.
 * - Anything else, and what the source calls a restart: a new session, from the counter as it is.
 *
 * A restart that the source announces has an identity of its own, {@link restartIdentity}, unless its clock went back.
 *
 * So a device that loses up to half of a range of events keeps its session and its gaps. One that loses more has a new session
 * or gaps too small; no event is lost by that. A device that begins again without saying so, with a clock that goes
 * back, and within `lateMax` of where it was, looks late: name its restarts in the mapping, or set `lateMax` to 0.
 */
export function deriveIdentity(before: EventBefore, source: SourceCounter, timeMs: number): DerivedIdentity {
  const { counter, bits, lateMax } = source;
  if (before.session < 0) return { kind: 'same-session', identity: { session: 0, counter } };
  const range = 2 ** bits;
  const ahead = (counter - (before.counter % range) + range) % range;
  const back = (range - ahead) % range;
  const isNotLater = before.timeMs !== undefined && timeMs <= before.timeMs;
  const { session } = before;
  if (isNotLater && back <= (source.restart ? 0 : lateMax) && back <= before.counter) {
    return { kind: 'same-session', identity: { session, counter: before.counter - back } };
  }
  if (!source.restart && ahead > 0 && ahead <= range / 2) {
    return { kind: 'same-session', identity: { session, counter: before.counter + ahead } };
  }
  return { kind: 'restart', identity: { session: session + 1, counter } };
}

/**
 * Identity of an announced restart: the session is its own time, so that a copy has the same one, whenever it comes. Undefined
 * for any other event, and for times before 1970.
 */
export function restartIdentity(
  { restart, counter }: SourceCounter,
  timeMs: number,
): CountedIdentity | undefined {
  return restart && timeMs >= 0 ? { session: timeMs, counter } : undefined;
}

/** Whether a stored event is what this one is: a mapping made both of the same counter of the source, and of the same time. */
export function isCopy(
  stored: Pick<StoredEvent, 'event' | 'text'>,
  { event, sourceCounter }: { readonly event: DeviceEvent; readonly sourceCounter?: SourceCounter },
): boolean {
  if (sourceCounter === undefined || stored.event.time !== event.time) return false;
  return stored.text.includes(`,"source":{"counter":${sourceCounter.counter}},"data":`);
}

/** The JSON of an event with the identity that was derived for it; every other member keeps its words. */
export function withIdentityText(text: string, { session, counter }: CountedIdentity): string {
  return `{"session":${session},"counter":${counter},${text.slice(1)}`;
}
