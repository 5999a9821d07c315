import { EVENT_SCHEMA_VERSION, type JsonObject } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';

/**
 * Brings an event of one schema version to the next. It must keep what identifies an event (device, session, counter,
 * correction id), because pages and receipts were decided by it.
 */
export type Upcaster = (event: JsonObject) => JsonObject;

/** Upcasters by the version that they take: 0 would take version 0 and return version 1. Version 1 is the first there is. */
export const UPCASTERS: ReadonlyMap<number, Upcaster> = new Map();

/**
 * An event as this code knows events, whatever version it was written in. What is stored keeps its own text for ever.
 * Throws `UNKNOWN_EVENT_VERSION` for a version that no chain of upcasters brings up, such as one of newer code.
 */
export function upcast(event: JsonObject, upcasters: ReadonlyMap<number, Upcaster> = UPCASTERS): JsonObject {
  let current = event;
  while (current.v !== EVENT_SCHEMA_VERSION) {
    const version = current.v;
    const upcaster = typeof version === 'number' ? upcasters.get(version) : undefined;
    if (upcaster === undefined) {
      throw new CodedError('UNKNOWN_EVENT_VERSION', `no way from event version ${String(version)}`);
    }
    current = upcaster(current);
    if (current.v !== Number(version) + 1) {
      throw new CodedError(
        'UNKNOWN_EVENT_VERSION',
        `the upcaster of version ${version} gave no next version`,
      );
    }
  }
  return current;
}
