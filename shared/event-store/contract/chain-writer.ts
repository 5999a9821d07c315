import {
  type ArrivedEvent,
  type DeviceState,
  type EventPage,
  PAGE_LIMITS,
  type PageLimits,
  planPage,
} from '@twinstream/device-model';
import type { ShardId } from '@twinstream/stream-model';
import { loadDeviceHistory } from '../src/device-history.ts';
import type { EventStore } from '../src/event-store.ts';

export interface ChainWriterOptions {
  readonly limits?: PageLimits;
  readonly repaired?: boolean;
}

export interface WrittenChain {
  readonly state: DeviceState;
  readonly pages: readonly EventPage[];
}

/** Puts a batch of one shard behind a state as the only writer: pages as planned, history loaded where it is needed. */
export async function writeBatch(
  store: EventStore,
  state: DeviceState,
  shardId: ShardId,
  arrived: readonly ArrivedEvent[],
  { limits = PAGE_LIMITS, repaired = false }: ChainWriterOptions = {},
): Promise<WrittenChain> {
  const pages: EventPage[] = [];
  let rest = arrived;
  let head = state;
  while (rest.length > 0) {
    let plan = planPage(head, shardId, rest, { limits, repaired });
    if (plan.kind === 'history-needed') {
      const history = await loadDeviceHistory(store, head, { shardId, arrived: rest });
      plan = planPage(head, shardId, rest, { limits, repaired, history });
    }
    if (plan.kind === 'history-needed') throw new Error('history was loaded, and is asked for again');
    if (plan.kind === 'page') {
      const { outcome } = await store.appendPage(plan.page);
      if (outcome !== 'appended') throw new Error('another writer is at work');
      pages.push(plan.page);
      head = plan.next;
    }
    rest = rest.slice(plan.taken);
  }
  return { state: head, pages };
}
