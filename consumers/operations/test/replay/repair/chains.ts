import { type DeviceState, type EventPage, newDevice, planPage } from '@twinstream/device-model';
import type { ShardId } from '@twinstream/stream-model';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';

/** An event of a chain: its shard, and its counter, which is its place in the shard, too. */
export type ChainEvent = readonly [shardId: ShardId, counter: number];

/** One page for each event, and the states after them. */
export function chainOf(...events: readonly ChainEvent[]) {
  const pages: EventPage[] = [];
  const states: DeviceState[] = [];
  let state = newDevice(DEVICE);
  for (const [shardId, counter] of events) {
    const arrived = arrivedEvent({ at: counter, session: 1, counter, data: { value: counter } });
    const plan = planPage(state, shardId, [arrived]);
    if (plan.kind !== 'page') throw new Error(plan.kind);
    pages.push(plan.page);
    states.push(plan.next);
    state = plan.next;
  }
  return { pages, states, state };
}

/** A chain of this many pages in one shard. */
export const plainChain = (pageCount: number) =>
  chainOf(...Array.from({ length: pageCount }, (_, index): ChainEvent => [SHARDS[0], index + 1]));
