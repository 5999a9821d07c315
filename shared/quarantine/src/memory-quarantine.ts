import { meetsHour, quarantineKey, readQuarantineKey } from './quarantine-key.ts';
import { decodeQuarantinedRecord, encodeQuarantinedRecord } from './quarantine-lines.ts';
import type { QuarantineListing, QuarantineStore } from './quarantine-store.ts';

/** A quarantine that lives as long as the process, holding the same objects as the one in S3. */
export function memoryQuarantine(): QuarantineStore {
  const objects = new Map<string, string>();
  return {
    async put(record, signal) {
      signal?.throwIfAborted();
      objects.set(quarantineKey(record), encodeQuarantinedRecord(record));
    },
    async *list({ from, to, signal } = {}) {
      const listings: QuarantineListing[] = [];
      for (const [key, text] of objects) {
        const listing = readQuarantineKey(key);
        if (listing === undefined || !meetsHour(listing.arrivalHour, from, to)) continue;
        listings.push({ ...listing, sizeBytes: Buffer.byteLength(text) });
      }
      listings.sort((a, b) => (a.key < b.key ? -1 : 1));
      for (const listing of listings) {
        signal?.throwIfAborted();
        yield listing;
      }
    },
    async read(key, signal) {
      signal?.throwIfAborted();
      const text = objects.get(key);
      return text === undefined ? undefined : decodeQuarantinedRecord(text, key);
    },
  };
}
