import type { JsonObject, JsonValue } from './json.ts';

const EVENT_MEMBERS: ReadonlySet<string> = new Set([
  'v',
  'deviceId',
  'type',
  'time',
  'session',
  'counter',
  'data',
]);
const CORRECTION_MEMBERS: ReadonlySet<string> = new Set(['correctionId', 'reason', 'actor', 'corrects']);

/** Members of an event that have no meaning here, by name, as they were sent. Those of a correction have one in corrections alone. */
export function otherMembers(event: JsonObject): ReadonlyMap<string, JsonValue> {
  const isCorrection = event.type === 'corrected';
  return new Map(
    Object.entries(event).filter(
      ([name]) => !EVENT_MEMBERS.has(name) && !(isCorrection && CORRECTION_MEMBERS.has(name)),
    ),
  );
}
