import type { DeviceId, DeviceState, EventPage, StoredEvent } from '@twinstream/device-model';
import { type AuditableEventStore, comparePageKeys, type PageKey } from '@twinstream/event-store';
import type { RepairableLatestState } from '@twinstream/latest-state';
import { CodedError } from '@twinstream/runtime';
import { compareWithinShard, type ShardId, type ShardPosition } from '@twinstream/stream-model';

/** Page numbers of a chain, one after the other, that are not there or cannot be read. */
export interface MissingRun {
  readonly firstPage: number;
  readonly lastPage: number;
  /** Running maximum of arrivals that the page behind the run was keyed by; absent where the run ends the chain. */
  readonly arrivalMaxAfter?: number;
  /** By shard: what the pages before the run cover. Its events lie above. */
  readonly above: ReadonlyMap<ShardId, ShardPosition>;
  /** By shard: the first page behind the run. Its events lie below. */
  readonly below: ReadonlyMap<ShardId, EventPage>;
}

export interface DamagedChain {
  readonly deviceId: DeviceId;
  /** The pages that are there and can be read, in chain order. */
  readonly pages: readonly EventPage[];
  /** Keys of items that cannot be read, in the place of pages. */
  readonly unreadable: readonly PageKey[];
  readonly runs: readonly MissingRun[];
  /** The live state, where there is one that can be read. */
  readonly live?: DeviceState | undefined;
}

export interface DamageOptions {
  readonly signal: AbortSignal;
  /** Told of a page whose attributes do not say what its body says. */
  readonly onMisdescribed?: (page: EventPage) => Promise<void>;
}

/**
 * What is missing of a chain or cannot be read; undefined where nothing is. That pages are missing at the end is known from
 * the state item alone. Holds one page at a time, and the chain only where it is damaged. Throws `UNKNOWN_EVENT_VERSION` for
 * pages of newer code, which are not damage, and `PAGES_NOT_RESTORABLE` for a last page that cannot be read and that no
 * state has seen.
 */
export async function damageOf(
  eventStore: Pick<AuditableEventStore, 'auditPages'>,
  latestState: Pick<RepairableLatestState, 'audit'>,
  deviceId: DeviceId,
  { signal, onMisdescribed }: DamageOptions,
): Promise<DamagedChain | undefined> {
  const audited = await latestState.audit(deviceId, signal);
  // One that cannot be read says nothing, and is written again after the pages.
  const live = audited.kind === 'state' ? audited.state : undefined;
  const statePage = live?.page ?? 0;
  let [count, last] = [0, 0];
  for await (const page of eventStore.auditPages(deviceId, { signal })) {
    if (page.kind === 'foreign') continue;
    last = Math.max(last, page.kind === 'page' ? page.page.page : page.key.page);
    if (page.kind !== 'page') continue;
    count += 1;
    if (page.faults.length > 0) await onMisdescribed?.(page.page);
  }
  if (count === Math.max(last, statePage)) return undefined;
  const { pages, unreadable } = await readChain(eventStore, deviceId, signal);
  const runs = missingRuns(pages, statePage);
  const lastUnreadable = unreadable.at(-1)?.page ?? 0;
  if (lastUnreadable > Math.max(statePage, pages.at(-1)?.page ?? 0)) {
    throw new CodedError(
      'PAGES_NOT_RESTORABLE',
      `page ${lastUnreadable} of ${deviceId} cannot be restored: it ends the chain, and no state tells what it held`,
    );
  }
  return runs.length === 0 ? undefined : { deviceId, pages, unreadable, runs, live };
}

async function readChain(
  eventStore: Pick<AuditableEventStore, 'auditPages'>,
  deviceId: DeviceId,
  signal: AbortSignal,
): Promise<Pick<DamagedChain, 'pages' | 'unreadable'>> {
  const pages: EventPage[] = [];
  const unreadable: PageKey[] = [];
  for await (const audited of eventStore.auditPages(deviceId, { signal })) {
    if (audited.kind === 'page') pages.push(audited.page);
    if (audited.kind !== 'damaged') continue;
    if (audited.code === 'UNKNOWN_EVENT_VERSION') throw new CodedError(audited.code, audited.fault);
    unreadable.push(audited.key);
  }
  return { pages, unreadable };
}

/** True where an item that cannot be read stands at the key of this page. */
export function isUnreadable({ unreadable }: DamagedChain, page: EventPage): boolean {
  return unreadable.some((key) => comparePageKeys(key, page) === 0);
}

/** The runs between pages, and one at the end up to the page of the state. */
export function missingRuns(pages: readonly EventPage[], statePage: number): readonly MissingRun[] {
  const runs: MissingRun[] = [];
  let before = 0;
  for (const [index, page] of pages.entries()) {
    if (page.page > before + 1) {
      const above = coveredBy(pages.slice(0, index));
      runs.push({
        firstPage: before + 1,
        lastPage: page.page - 1,
        arrivalMaxAfter: page.arrivalMaxBefore,
        above,
        below: beginningsOf(pages.slice(index), above),
      });
    }
    before = Math.max(before, page.page);
  }
  if (statePage > before) {
    runs.push({ firstPage: before + 1, lastPage: statePage, above: coveredBy(pages), below: new Map() });
  }
  return runs;
}

/** Shards of which the state has seen more than the pages that are there. */
export function owedShards({ pages, live }: Pick<DamagedChain, 'pages' | 'live'>): ReadonlySet<ShardId> {
  const covered = coveredBy(pages);
  const owed = new Set<ShardId>();
  for (const [shardId, mark] of live?.marks ?? []) {
    const known = covered.get(shardId);
    if (known === undefined || compareWithinShard(mark, known) > 0) owed.add(shardId);
  }
  return owed;
}

function coveredBy(pages: readonly EventPage[]): ReadonlyMap<ShardId, ShardPosition> {
  const covered = new Map<ShardId, ShardPosition>();
  for (const { shardId, through } of pages) {
    const known = covered.get(shardId);
    if (known === undefined || compareWithinShard(through, known) > 0) covered.set(shardId, through);
  }
  return covered;
}

/** An event without a counter is late where the high-water mark of its shard lay above it: the page is out of order (seed 44154). */
function isLateByPlace({ event, late }: StoredEvent): boolean {
  return late !== undefined && event.identity === undefined && event.correction === undefined;
}

/** Each shard's first page; what was appended out of order, by a repair or a late delivery, says nothing. */
function beginningsOf(
  pages: readonly EventPage[],
  above: ReadonlyMap<ShardId, ShardPosition>,
): ReadonlyMap<ShardId, EventPage> {
  const beginnings = new Map<ShardId, EventPage>();
  for (const page of pages) {
    const covered = above.get(page.shardId);
    const isBehind = covered !== undefined && compareWithinShard(page.through, covered) <= 0;
    if (isBehind || page.events.some(({ repaired }) => repaired === true)) continue;
    if (page.events.some(isLateByPlace)) continue;
    if (!beginnings.has(page.shardId)) beginnings.set(page.shardId, page);
  }
  return beginnings;
}
