import { NOW } from '@twinstream/api-contract';
import { eventTimeMs } from '@twinstream/device-model';
import { parseDurationMs } from '@twinstream/runtime';

/** A moment as a caller writes it, in milliseconds since 1970: an ISO 8601 time, `now`, or `now-15m`, which must not lie before 1970. */
export function momentMs(text: string, nowMs: number): number {
  if (!isRelative(text)) return eventTimeMs(text);
  return text === NOW ? nowMs : Math.max(0, nowMs - parseDurationMs(text.slice(NOW.length + 1)));
}

/** Another moment each time that it is asked for. */
export function isRelative(text: string): boolean {
  return text.startsWith(NOW);
}
