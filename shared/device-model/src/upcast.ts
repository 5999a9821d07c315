import { EVENT_SCHEMA_VERSION } from './device-event.ts';
import type { JsonObject } from './json.ts';

/**
 * Brings an event of one schema version to the next. It must keep what identifies an event (device, session, counter,
 * correction id), because pages and receipts were decided by it.
 */
export type Upcaster = (event: JsonObject) => JsonObject;

/** Upcasters by the version that they take: 0 would take version 0 and return version 1. Version 1 is the first there is. */
export const UPCASTERS: ReadonlyMap<number, Upcaster> = new Map();

/**
 * An event as this code knows events, whatever version it was written in; undefined where no chain of upcasters brings it
 * up, as with one of newer code. Records of the stream come up in the same way as stored events: firmware that was built for
 * an older version goes on working. What is stored keeps its own text for ever.
 */
export function upcast(
  event: JsonObject,
  upcasters: ReadonlyMap<number, Upcaster> = UPCASTERS,
): JsonObject | undefined {
  let current = event;
  while (current.v !== EVENT_SCHEMA_VERSION) {
    const version = current.v;
    const upcaster = typeof version === 'number' ? upcasters.get(version) : undefined;
    if (upcaster === undefined) return undefined;
    current = upcaster(current);
    if (current.v !== Number(version) + 1) return undefined;
  }
  return current;
}
