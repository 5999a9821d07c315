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

/** Undefined for an event that its device does not count. */
export function identityOf({ session, counter }: EventJson): EventIdentity | undefined {
  return session === undefined || counter === undefined ? undefined : { session, counter };
}

export function isCorrection({ type }: Pick<EventJson, 'type'>): boolean {
  return type === 'corrected';
}
