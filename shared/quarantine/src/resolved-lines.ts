import { QUARANTINE_PREFIX, RESOLVED_PREFIX } from '@twinstream/pipeline-settings';
import { CodedError } from '@twinstream/runtime';
import { readQuarantineKey } from './quarantine-key.ts';
import type { Resolution, ResolvedRecord } from './resolution.ts';

export function resolvedKey(key: string): string {
  return `${RESOLVED_PREFIX}${key.slice(QUARANTINE_PREFIX.length)}`;
}

/** The resolution as the first line, then the record as it was in quarantine. */
export function encodeResolved(text: string, resolution: Resolution): string {
  return `${JSON.stringify(resolution)}\n${text}`;
}

/** Undefined for a key that is none of a record. Throws `QUARANTINE_OBJECT_INVALID` for a text that {@link encodeResolved} did not make. */
export function decodeResolved(text: string, key: string): ResolvedRecord | undefined {
  const listing = readQuarantineKey(`${QUARANTINE_PREFIX}${key.slice(RESOLVED_PREFIX.length)}`);
  if (listing === undefined) return undefined;
  const { shardId, sequenceNumber } = listing;
  return { shardId, sequenceNumber, resolution: readResolved(text, key).resolution };
}

/** The resolution, and the text of the record as it lay in quarantine. Throws `QUARANTINE_OBJECT_INVALID`. */
export function readResolved(
  text: string,
  key: string,
): { readonly resolution: Resolution; readonly rest: string } {
  const end = text.indexOf('\n');
  let value: unknown;
  try {
    value = JSON.parse(text.slice(0, end));
  } catch (cause) {
    throw invalid(key, cause);
  }
  if (!isResolution(value)) throw invalid(key);
  return { resolution: value, rest: text.slice(end + 1) };
}

function invalid(key: string, cause?: unknown): CodedError {
  return new CodedError('QUARANTINE_OBJECT_INVALID', `${key} does not begin with a resolution`, { cause });
}

function isResolution(value: unknown): value is Resolution {
  if (typeof value !== 'object' || value === null) return false;
  const { outcome, time, reason, actor, events }: Partial<Record<keyof Resolution, unknown>> = value;
  const texts = [time, reason, actor];
  return (
    (outcome === 'redriven' || outcome === 'discarded') &&
    texts.every((text) => typeof text === 'string') &&
    Array.isArray(events) &&
    events.every((event) => typeof event?.text === 'string' && Number.isSafeInteger(event?.subSequenceNumber))
  );
}
