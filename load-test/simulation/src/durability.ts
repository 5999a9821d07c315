import { openRecord } from '@twinstream/stream-model';
import { eventsOf, isRefusable } from './devices.ts';
import { fleetDecoder } from './foreign-fleet.ts';
import { type Oracle, Violation } from './oracle.ts';
import type { SimRecord, SimShard } from './sim-stream.ts';
import type { WatchedStores } from './watched-stores.ts';

/** What may be called finished: every event of the record is in a page that the state has reached, and what is none in quarantine. */
export function checkDurable(
  { oracle, quarantined }: Pick<WatchedStores, 'quarantined'> & { readonly oracle: Oracle },
  shard: SimShard,
  record: SimRecord,
): void {
  const what = `${shard.shardId} ${record.sequenceNumber}`;
  for (const held of eventsOf(shard, record)) {
    const { deviceId, identity } = held;
    // Also where a later copy of it, in another record, was accepted and stands in a page.
    if (isRefusable(held) && quarantined.has(what)) continue;
    const page = oracle.pageOf(deviceId, identity);
    if (page === undefined)
      throw new Violation('nothing is lost', `${what}: ${deviceId} ${identity} is not stored`);
    if (oracle.statePage(deviceId) < page) {
      throw new Violation(
        'a record is acknowledged only when the state is at or past its pages',
        `${what}: ${deviceId}, page ${page}`,
      );
    }
  }
  if (hasPoison(record) && !quarantined.has(what)) {
    throw new Violation('a poison record is in quarantine before it counts as finished', what);
  }
}

function hasPoison(record: SimRecord): boolean {
  const opened = openRecord(record);
  return (
    opened.status === 'damaged' ||
    opened.entries.some((entry) => fleetDecoder(2).decode(entry, record.arrivalTime).rejection)
  );
}
