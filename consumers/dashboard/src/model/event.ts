import type { EventJson } from '@twinstream/api-contract';

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
export function clockMs({ time }: Pick<EventJson, 'time'>): number | undefined {
  const timeMs = Date.parse(time);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

/** Undefined for an event that its device does not count. */
export function identityOf({ session, counter }: EventJson): EventIdentity | undefined {
  return session === undefined || counter === undefined ? undefined : { session, counter };
}

export function isCorrection({ type }: Pick<EventJson, 'type'>): boolean {
  return type === 'corrected';
}
