import type { HistoryEvent } from '../api/shapes.ts';

/** Which event of the history at hand an attribute's value came with. */
export interface AttributeOrigin {
  /** Arrival; milliseconds since 1970. */
  readonly time: number;
  readonly identity?: { readonly session: number; readonly counter: number };
  readonly isCorrection: boolean;
}

function isOlder(a: AttributeOrigin['identity'], b: AttributeOrigin['identity']): boolean {
  if (a === undefined || b === undefined) return false;
  return a.session < b.session || (a.session === b.session && a.counter < b.counter);
}

/** Origins by attribute, from events in chain order, oldest first, up to a moment. Attributes older than these events are absent. */
export function originsOf(
  events: readonly HistoryEvent[],
  untilMs = Number.POSITIVE_INFINITY,
): ReadonlyMap<string, AttributeOrigin> {
  const origins = new Map<string, AttributeOrigin>();
  for (const { arrivalTime, data, identity, correction } of events) {
    if (arrivalTime > untilMs) continue;
    const version = correction === undefined ? identity : correction.corrects;
    const origin: AttributeOrigin = {
      time: arrivalTime,
      ...(version === undefined ? {} : { identity: version }),
      isCorrection: correction !== undefined,
    };
    for (const name of Object.keys(data)) {
      // A late event changes only what it is newest for.
      if (!isOlder(version, origins.get(name)?.identity)) origins.set(name, origin);
    }
  }
  return origins;
}
