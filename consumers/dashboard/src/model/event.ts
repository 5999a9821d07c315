import type { Basis, EventJson } from '@twinstream/api-contract';

/** What a device counts an event by. */
export interface EventIdentity {
  readonly session: number;
  readonly counter: number;
}

/** Milliseconds since 1970. */
export function arrivalMs({ arrivalTime }: Pick<EventJson, 'arrivalTime'>): number {
  return Date.parse(arrivalTime);
}

/** By the device's clock, in milliseconds since 1970; undefined where it wrote no time that is one. */
function clockMs({ time }: Pick<EventJson, 'time'>): number | undefined {
  const timeMs = Date.parse(time);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

/** Milliseconds since 1970 by one of the two axes of time; the arrival where the device wrote no time. */
export type TimeOf = (event: EventJson) => number;

const eventTimeMs: TimeOf = (event) => clockMs(event) ?? arrivalMs(event);

export function timeOfBasis(basis: Basis): TimeOf {
  return basis === 'event-time' ? eventTimeMs : arrivalMs;
}

/** Undefined for an event that its device does not count. */
export function identityOf({ session, counter }: EventJson): EventIdentity | undefined {
  return session === undefined || counter === undefined ? undefined : { session, counter };
}

export function isCorrection({ type }: Pick<EventJson, 'type'>): boolean {
  return type === 'corrected';
}
