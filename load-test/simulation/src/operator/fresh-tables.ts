import type { DeviceId, DeviceState, EventPage, ReceiptLimits } from '@twinstream/device-model';
import { memoryShardProgressTable } from '@twinstream/latest-state';
import { type ReplayJob, totalOf } from '@twinstream/operations';
import { memoryQuarantine } from '@twinstream/quarantine';
import { canonicalText, identityOf } from '@twinstream/verification';
import { Oracle } from '../oracle.ts';
import type { LeftOut } from '../restoration.ts';
import { Violation } from '../violation.ts';
import { type WatchedStores, watched } from '../watched-stores.ts';
import { type DamageableTables, damageableTables } from './damage.ts';

/** Tables that a replay fills, with an oracle of their own. */
export interface FreshTables {
  readonly oracle: Oracle;
  readonly stores: WatchedStores;
  readonly tables: DamageableTables;
}

export function freshTables(
  limits: ReceiptLimits,
  onViolation: (error: unknown) => void,
  leftOut?: LeftOut,
): FreshTables {
  const oracle = new Oracle(limits, leftOut);
  const tables = damageableTables();
  const stores = {
    ...tables,
    shardProgress: memoryShardProgressTable(),
    quarantine: memoryQuarantine(),
  };
  return { oracle, tables, stores: watched(stores, { oracle, onProgress: () => undefined, onViolation }) };
}

/** The ledger of a copy counts what was copied, and nothing of it twice. */
export function checkCopyLedger(job: ReplayJob, { oracle }: FreshTables): void {
  const { read } = totalOf(job.ledger);
  if (read === oracle.storedCount()) return;
  throw new Violation(
    'the ledger of a replay adds up',
    `${job.id}: ${read} read, ${oracle.storedCount()} copied`,
  );
}

/** A copy is the chain as it stood when its device was copied, with the state after it. */
export function checkCopies(live: Oracle, fresh: Oracle): void {
  for (const [deviceId, pages] of fresh.pages) {
    const originals = (live.pages.get(deviceId) ?? []).slice(0, pages.length);
    if (canonicalText(pages) !== canonicalText(originals)) {
      throw new Violation('a copied chain is equal to its original', deviceId);
    }
    checkStateWritten(fresh, deviceId);
  }
}

/** Whatever is stored in the tables in use is stored in those that take their place, with each state at the end of its chain. */
export function checkPromoted(inUse: Oracle, fresh: Oracle): void {
  for (const [deviceId, pages] of inUse.pages) {
    for (const { page, shardId, events } of pages) {
      for (const event of events) {
        const identity = identityOf(shardId, event);
        if (fresh.pageOf(deviceId, identity) !== undefined) continue;
        throw new Violation('a promotion loses nothing', `${deviceId} ${identity} of page ${page}`);
      }
    }
    checkStateWritten(fresh, deviceId);
  }
}

/** Once everything is stored: the same events, and equal attributes where all of them are counted. */
export function checkRebuilt(live: Oracle, fresh: Oracle): void {
  const devices = new Set([...live.pages.keys(), ...fresh.pages.keys()]);
  for (const deviceId of devices) {
    const [lived, rebuilt] = [live, fresh].map((oracle) => identitiesOf(oracle.pages.get(deviceId) ?? []));
    if (lived !== rebuilt) throw new Violation('fresh tables hold the events of the live ones', deviceId);
    checkStateWritten(fresh, deviceId);
    if (!(live.pages.get(deviceId) ?? []).every(isCounted)) continue;
    if (outcomeText(live, deviceId) !== outcomeText(fresh, deviceId)) {
      throw new Violation('counted events lead to equal attributes from any source', deviceId);
    }
  }
}

function checkStateWritten(fresh: Oracle, deviceId: DeviceId): void {
  if (fresh.statePage(deviceId) === (fresh.pages.get(deviceId)?.length ?? 0)) return;
  throw new Violation('a replay leaves each state at the end of its chain', deviceId);
}

function identitiesOf(pages: readonly EventPage[]): string {
  const identities = pages.flatMap(({ shardId, events }) =>
    events.map((event) => identityOf(shardId, event)),
  );
  return identities.sort().join('\n');
}

/** Corrections take their versions in the order of acceptance: they are left out as uncounted events are. */
function isCounted({ events }: EventPage): boolean {
  return events.every(({ event }) => event.identity !== undefined);
}

function outcomeText(oracle: Oracle, deviceId: DeviceId): string {
  const state: DeviceState = oracle.stateAfter(deviceId, oracle.pages.get(deviceId)?.length ?? 0);
  const { attributes, status, lastEventTime } = state;
  return canonicalText({ attributes, status, lastEventTime });
}
