import { type DeviceState, newDevice } from '@twinstream/device-model';
import { arrivedEvent, DEVICE, SHARDS, TEST_TIME_MS } from '@twinstream/test-kit';
import { describe, expect, it } from 'vitest';
import { writeBatch } from '../contract/chain-writer.ts';
import { countingEventStore } from '../contract/counting-event-store.ts';
import { HISTORY_LIMITS, readHistory } from '../src/history.ts';
import type { HistoryAnswer, HistoryCursor, HistoryQuery } from '../src/history-query.ts';
import { memoryEventStore } from '../src/memory-event-store.ts';

const [SHARD] = SHARDS;
const PAGES = HISTORY_LIMITS.pagesMax * 2 + 20;

async function longChain() {
  const store = countingEventStore(memoryEventStore());
  let state: DeviceState = newDevice(DEVICE);
  for (let n = 1; n <= PAGES; n += 1) {
    ({ state } = await writeBatch(store, state, SHARD, [arrivedEvent({ at: n, session: 1, counter: n })]));
  }
  return { store, state };
}

/** Follows the cursors of a history to its end. */
async function readAll(store: ReturnType<typeof countingEventStore>, query: HistoryQuery) {
  const answers: HistoryAnswer[] = [];
  let cursor: HistoryCursor | undefined;
  do {
    Object.assign(store.counts, { pages: 0, summaries: 0, snapshots: 0 });
    const answer = await readHistory(store, { ...query, ...(cursor === undefined ? {} : { cursor }) });
    expect(store.counts.pages).toBeLessThanOrEqual(HISTORY_LIMITS.pagesMax);
    expect(store.counts.summaries).toBeLessThanOrEqual(HISTORY_LIMITS.summariesMax);
    answers.push(answer);
    cursor = answer.cursor;
  } while (cursor !== undefined);
  return answers;
}

const countersOf = (answers: readonly HistoryAnswer[]) =>
  answers.flatMap(({ events }) => events.map(({ event }) => event.identity?.counter));

describe('a history', () => {
  it.each(['ascending', 'descending'] as const)(
    'skims the pages of later arrivals, and finds what a repair has put behind them, %s',
    async (order) => {
      const { store, state } = await longChain();
      // The first event of all, repaired at the tail with its own arrival.
      const old = arrivedEvent({ at: 0, session: 1, counter: 0, arrivalTime: TEST_TIME_MS });
      await writeBatch(store, state, SHARD, [old], { repaired: true });
      const answers = await readAll(store, { deviceId: DEVICE, to: TEST_TIME_MS + 1_001, order, limit: 10 });
      expect(countersOf(answers)).toEqual(order === 'ascending' ? [1, 0] : [0, 1]);
      expect(answers).toHaveLength(1);
      expect(store.counts.pages).toBeLessThan(60);
    },
  );

  it.each(['ascending', 'descending'] as const)(
    'goes on through answers without events to the end, %s',
    async (order) => {
      const { store } = await longChain();
      // Arrived while the chain did, in a page that also holds an earlier arrival: skimming cannot pass over such pages.
      const scattered = countingEventStore({
        ...store,
        pageSummaries: async function* (deviceId, range) {
          for await (const summary of store.pageSummaries(deviceId, range))
            yield { ...summary, firstArrivalTime: 0 };
        },
      });
      const answers = await readAll(scattered, {
        deviceId: DEVICE,
        to: TEST_TIME_MS + 1_001,
        order,
        limit: 10,
      });
      expect(countersOf(answers)).toEqual([1]);
      expect(answers.length).toBe(Math.ceil(PAGES / HISTORY_LIMITS.pagesMax));
      expect(answers.some(({ events }) => events.length === 0)).toBe(true);
    },
  );

  it('begins at the page in which its first event may stand', async () => {
    const { store } = await longChain();
    const from = TEST_TIME_MS + (PAGES - 1) * 1_000;
    store.counts.pages = 0;
    const { events } = await readHistory(store, { deviceId: DEVICE, from, limit: 1_000 });
    expect(events.map(({ page }) => page)).toEqual([PAGES - 1, PAGES]);
    expect(store.counts.pages).toBeLessThanOrEqual(3);
  });

  it('shows an event beside its correction', async () => {
    const store = memoryEventStore();
    await writeBatch(store, newDevice(DEVICE), SHARD, [
      arrivedEvent({ at: 1, session: 1, counter: 1, data: { speedMph: 500 } }),
      arrivedEvent({
        at: 2,
        correctionId: 'c-1',
        corrects: { session: 1, counter: 1 },
        data: { speedMph: 50 },
      }),
    ]);
    const { events } = await readHistory(store, { deviceId: DEVICE, limit: 10 });
    expect(events.map(({ event, version }) => [event.type, event.data.speedMph, version.revision])).toEqual([
      ['reported', 500, 0],
      ['corrected', 50, 1],
    ]);
  });

  it.each([0, 1_001, 1.5])('refuses the limit %d', async (limit) => {
    await expect(readHistory(memoryEventStore(), { deviceId: DEVICE, limit })).rejects.toThrow(
      'limit must be',
    );
  });
});
