import type { EventJson } from '@twinstream/api-contract';
import { arrivalMs, type EventIdentity, identityOf, isCorrection } from './event.ts';

/** Which event of the history at hand an attribute's value came with. */
export interface AttributeOrigin {
  /** Arrival; milliseconds since 1970. */
  readonly time: number;
  readonly identity?: EventIdentity;
  readonly isCorrection: boolean;
}

function isOlder(a: AttributeOrigin['identity'], b: AttributeOrigin['identity']): boolean {
  if (a === undefined || b === undefined) return false;
  return a.session < b.session || (a.session === b.session && a.counter < b.counter);
}

/** Origins by attribute, from events in chain order, oldest first, up to a moment. Attributes older than these events are absent. */
export function originsOf(
  events: readonly EventJson[],
  untilMs = Number.POSITIVE_INFINITY,
): ReadonlyMap<string, AttributeOrigin> {
  const origins = new Map<string, AttributeOrigin>();
  for (const event of events) {
    const time = arrivalMs(event);
    if (time > untilMs) continue;
    const version = isCorrection(event) ? event.corrects : identityOf(event);
    const origin: AttributeOrigin = {
      time,
      ...(version === undefined ? {} : { identity: version }),
      isCorrection: isCorrection(event),
    };
    for (const name of Object.keys(event.data ?? {})) {
      // A late event changes only what it is newest for.
      if (!isOlder(version, origins.get(name)?.identity)) origins.set(name, origin);
    }
  }
  return origins;
}
