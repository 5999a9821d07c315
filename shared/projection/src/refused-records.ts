import type { RefusedEvent } from '@twinstream/device-model';
import type { QuarantinedEntry, QuarantinedRecord } from '@twinstream/quarantine';
import { openRecord, type SequenceNumber, type StreamBatch } from '@twinstream/stream-model';

/** True where the record is one entry: its own bytes. What it holds beside that entry cannot be refused. */
export function isWhole({ data, entries: [entry, ...others] }: QuarantinedRecord): boolean {
  return others.length === 0 && entry?.data.length === data.length;
}

/**
 * Poison records, and records of which an entry was refused, with all such entries in their order: one record has one
 * object in quarantine.
 */
export function withRefused(
  { shardId, records }: StreamBatch,
  poison: readonly QuarantinedRecord[],
  refused: readonly RefusedEvent[],
): readonly QuarantinedRecord[] {
  const bySequence = new Map<SequenceNumber, QuarantinedRecord>(
    poison.map((record) => [record.sequenceNumber, record]),
  );
  for (const record of records) {
    const { sequenceNumber, arrivalTime, partitionKey, data } = record;
    const own = refused.filter(({ arrived }) => arrived.place.sequenceNumber === sequenceNumber);
    if (own.length === 0) continue;
    const found = bySequence.get(sequenceNumber)?.entries ?? [];
    const entries: QuarantinedEntry[] = [...found];
    for (const entry of openRecord(record).entries) {
      const refusal = own.find(({ arrived }) => arrived.place.subSequenceNumber === entry.subSequenceNumber);
      if (refusal === undefined) continue;
      const { rejected: reason, detail } = refusal;
      entries.push({ reason, detail, ...entry });
    }
    entries.sort((a, b) => a.subSequenceNumber - b.subSequenceNumber);
    bySequence.set(sequenceNumber, { shardId, sequenceNumber, arrivalTime, partitionKey, data, entries });
  }
  return [...bySequence.values()];
}
