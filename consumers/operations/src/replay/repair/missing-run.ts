import type { DeviceId, DeviceState, EventPage } from '@twinstream/device-model';
import type { EventStore } from '@twinstream/event-store';
import type { LatestStateTable } from '@twinstream/latest-state';
import { CodedError } from '@twinstream/runtime';
import { compareWithinShard, type ShardId, type ShardPosition } from '@twinstream/stream-model';

/** Page numbers of a chain, one after the other, that are not there. */
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
  /** The pages that are there, in chain order. */
  readonly pages: readonly EventPage[];
  readonly runs: readonly MissingRun[];
  /** The live state, where there is one that can be read. */
  readonly live?: DeviceState | undefined;
}

/**
 * What is missing of a chain; undefined where nothing is. That pages are missing at the end is known from the state item
 * alone. Reads what the pages say of themselves, and the pages themselves only where some are missing.
 */
export async function damageOf(
  eventStore: EventStore,
  latestState: Pick<LatestStateTable, 'read'>,
  deviceId: DeviceId,
  signal: AbortSignal,
): Promise<DamagedChain | undefined> {
  const live = await liveState(latestState, deviceId, signal);
  const statePage = live?.page ?? 0;
  let [count, last] = [0, 0];
  for await (const { page } of eventStore.pageSummaries(deviceId, { consistent: true, signal })) {
    count += 1;
    last = Math.max(last, page);
  }
  if (count === Math.max(last, statePage)) return undefined;
  const pages = await Array.fromAsync(eventStore.pages(deviceId, { consistent: true, signal }));
  const runs = missingRuns(pages, statePage);
  return runs.length === 0 ? undefined : { deviceId, pages, runs, live };
}

async function liveState(
  latestState: Pick<LatestStateTable, 'read'>,
  deviceId: DeviceId,
  signal: AbortSignal,
): Promise<DeviceState | undefined> {
  try {
    return await latestState.read(deviceId, { consistent: true, signal });
  } catch (error) {
    // It says nothing then, and is written anew after the pages.
    if (error instanceof CodedError && error.code === 'DAMAGED_STATE') return undefined;
    throw error;
  }
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
    if (!beginnings.has(page.shardId)) beginnings.set(page.shardId, page);
  }
  return beginnings;
}
