import type { EventPage } from '@twinstream/device-model';
import { canonicalText } from '@twinstream/verification';
import { eventsOf, isRefusable } from '../devices.ts';
import { checkDurable } from '../durability.ts';
import { type Oracle, Violation } from '../oracle.ts';
import type { SimShard } from '../sim-stream.ts';
import type { WatchedStores } from '../watched-stores.ts';

/** What must hold when nothing is left to happen: everything that the shards hold is stored once, and the state is the fold of it. */
export async function checkEnd(
  shards: readonly SimShard[],
  oracle: Oracle,
  stores: WatchedStores,
): Promise<void> {
  const identities = new Set<string>();
  for (const shard of shards) {
    for (const record of shard.records) {
      checkDurable({ oracle, quarantined: stores.quarantined }, shard, record);
      for (const held of eventsOf(shard, record)) {
        const { deviceId, identity } = held;
        if (isRefusable(held) && oracle.pageOf(deviceId, identity) === undefined) continue;
        identities.add(`${deviceId} ${identity}`);
      }
    }
  }
  if (oracle.storedCount() !== identities.size) {
    throw new Violation('each identity is stored once', `${oracle.storedCount()} of ${identities.size}`);
  }
  for (const [deviceId, seen] of oracle.pages) {
    const pages: EventPage[] = [];
    for await (const page of stores.eventStore.pages(deviceId)) pages.push(page);
    if (pages.length !== seen.length || pages.some(({ page }, index) => page !== index + 1)) {
      const numbers = pages.map(({ page }) => page).join(', ');
      throw new Violation('page numbers are contiguous', `${deviceId}: ${numbers}`);
    }
    const state = await stores.latestState.read(deviceId);
    if (canonicalText(state) !== canonicalText(oracle.stateAfter(deviceId, pages.length))) {
      throw new Violation(
        'state equals the fold of pages 1 to n',
        `${deviceId} at the end, of ${pages.length} pages`,
      );
    }
  }
  oracle.checkVersions();
  oracle.checkLastWriterWins();
  await oracle.checkSnapshots(stores.eventStore);
}
