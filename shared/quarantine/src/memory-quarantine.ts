import { hourFolder, QUARANTINE_PREFIX } from '@twinstream/pipeline-settings';
import { readDeadLetter, readResolvedLetter } from './dead-letter.ts';
import { laterKey, quarantineKey, readQuarantineKey } from './quarantine-key.ts';
import { decodeQuarantinedRecord, encodeQuarantinedRecord } from './quarantine-lines.ts';
import type { ResolvableQuarantine } from './resolvable-quarantine.ts';
import { decodeResolved, encodeResolved, resolvedKey } from './resolved-lines.ts';

/** A quarantine that lives as long as the process, holding the same objects as the one in S3. */
export function memoryQuarantine(): ResolvableQuarantine {
  const objects = new Map<string, string>();
  const resolvedObjects = new Map<string, string>();
  return {
    async put(record, signal) {
      signal?.throwIfAborted();
      objects.set(quarantineKey(record), encodeQuarantinedRecord(record));
    },
    async *list({ from, to, after: afterKey = '', signal } = {}) {
      const after = laterKey(afterKey, from === undefined ? '' : hourFolder(QUARANTINE_PREFIX, from));
      for (const key of [...objects.keys()].sort()) {
        signal?.throwIfAborted();
        const listing = key > after ? readQuarantineKey(key) : undefined;
        if (listing === undefined || (to !== undefined && listing.arrivalHour >= to)) continue;
        yield { ...listing, sizeBytes: Buffer.byteLength(objects.get(key) ?? '') };
      }
    },
    async read(key, signal) {
      signal?.throwIfAborted();
      const text = objects.get(key);
      return text === undefined ? undefined : decodeQuarantinedRecord(text, key);
    },
    async resolve(key, resolution, signal) {
      signal?.throwIfAborted();
      const text = objects.get(key);
      if (text === undefined) return false;
      resolvedObjects.set(resolvedKey(key), encodeResolved(text, resolution));
      objects.delete(key);
      return true;
    },
    async *resolved(signal) {
      for (const key of [...resolvedObjects.keys()].sort()) {
        signal?.throwIfAborted();
        const record = decodeResolved(resolvedObjects.get(key) ?? '', key);
        if (record !== undefined) yield record;
      }
    },
    async *contents(signal) {
      signal?.throwIfAborted();
      for (const [key, text] of objects) yield readDeadLetter(key, text);
      for (const [key, text] of resolvedObjects) yield readResolvedLetter(key, text);
    },
  };
}
