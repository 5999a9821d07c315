import { EVENT_SCHEMA_VERSION, type JsonObject, type Upcaster, upcast } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';

/**
 * A stored event as this code knows events. Throws `UNKNOWN_EVENT_VERSION` for a version that no chain of upcasters brings
 * up, such as one of newer code.
 */
export function upcastStored(event: JsonObject, upcasters?: ReadonlyMap<number, Upcaster>): JsonObject {
  const current = upcast(event, upcasters);
  if (current !== undefined) return current;
  throw new CodedError(
    'UNKNOWN_EVENT_VERSION',
    `no way from event version ${String(event.v)} to ${EVENT_SCHEMA_VERSION}`,
  );
}
