import type { QuarantineQuery, QuarantineStore } from '@twinstream/quarantine';
import type { Position } from '@twinstream/stream-model';

/** Records that are read at the same time. */
const RECORDS_AT_ONCE = 16;

/** Positions of all that is in quarantine, in no promised order. Each record is one read. */
export async function* quarantinedPositions(
  quarantine: Pick<QuarantineStore, 'list' | 'read'>,
  query: QuarantineQuery = {},
): AsyncGenerator<Position> {
  const keys: string[] = [];
  for await (const { key } of quarantine.list(query)) {
    keys.push(key);
    if (keys.length === RECORDS_AT_ONCE) yield* positionsIn(quarantine, keys.splice(0), query);
  }
  yield* positionsIn(quarantine, keys, query);
}

async function* positionsIn(
  quarantine: Pick<QuarantineStore, 'read'>,
  keys: readonly string[],
  { signal }: QuarantineQuery,
): AsyncGenerator<Position> {
  for (const record of await Promise.all(keys.map((key) => quarantine.read(key, signal)))) {
    // One that was taken out since it was listed.
    if (record === undefined) continue;
    const { shardId, sequenceNumber, entries } = record;
    for (const { subSequenceNumber } of entries) yield { shardId, sequenceNumber, subSequenceNumber };
  }
}
