import {
  type ArrivedEvent,
  type DeviceState,
  type EventPage,
  newDevice,
  planPage,
  STATE_RECEIPT_LIMITS,
} from '@twinstream/device-model';
import { ARRIVAL, arrivedEvent, DEVICE, SHARDS } from '@twinstream/event-store/contract/event-builder';
import type { ShardId } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import { missingRuns } from '../../../src/replay/repair/missing-run.ts';
import { restoredPages } from '../../../src/replay/repair/restore-pages.ts';

const [PARENT, CHILD] = SHARDS;

function counted(at: number, counter: number): ArrivedEvent {
  return arrivedEvent({ at, arrivalTime: ARRIVAL + at, session: 1, counter, data: { value: counter } });
}

/** A chain of pages of one event each. The last was in quarantine, and redriven. */
function chain(): { readonly pages: readonly EventPage[]; readonly state: DeviceState } {
  const pages: EventPage[] = [];
  let state = newDevice(DEVICE);
  const append = (shardId: ShardId, arrived: ArrivedEvent, repaired = false) => {
    const plan = planPage(state, shardId, [arrived], { repaired });
    if (plan.kind !== 'page') throw new Error(plan.kind);
    pages.push(plan.page);
    state = plan.next;
  };
  append(CHILD, counted(10, 2));
  append(CHILD, counted(11, 3));
  append(CHILD, counted(12, 4));
  append(PARENT, counted(1, 1), true);
  return { pages, state };
}

const source = [
  { shardId: PARENT, arrived: counted(1, 1), isRedriven: true },
  ...[10, 11, 12].map((at) => ({ shardId: CHILD, arrived: counted(at, at - 8) })),
];

describe('restored pages', () => {
  test('one that a redrive had appended comes out as it was', async () => {
    const { pages, state } = chain();
    const left = pages.slice(0, 3);
    const runs = missingRuns(left, state.page);
    const damage = { deviceId: DEVICE, pages: left, runs, live: state };
    expect(await restoredPages(damage, source, STATE_RECEIPT_LIMITS)).toEqual([pages[3]]);
  });

  test('none is written where the order of the source does not lead to the state', async () => {
    const { pages, state } = chain();
    const left = pages.slice(0, 2);
    const damage = { deviceId: DEVICE, pages: left, runs: missingRuns(left, state.page), live: state };
    // As if it had come in time: a repair appended it, and nothing says so.
    const unaware = source.map(({ shardId, arrived }) => ({ shardId, arrived }));
    await expect(restoredPages(damage, unaware, STATE_RECEIPT_LIMITS)).rejects.toMatchObject({
      code: 'PAGES_NOT_RESTORABLE',
    });
  });
});
