import { type DeviceState, foldPage, newDevice } from '@twinstream/device-model';
import type { EventStore, HistoryAnswer, HistoryEvent, HistoryQuery } from '@twinstream/event-store';
import type { PastStateQuery } from '../src/services.ts';

/** History and past states straight from all pages of a device: slow, and plain enough to compare with. */
export function historyOf(store: EventStore) {
  return {
    readHistory: async (query: HistoryQuery): Promise<HistoryAnswer> => {
      const { deviceId, from = 0, to = Number.POSITIVE_INFINITY, order = 'ascending', limit, cursor } = query;
      const all: { event: HistoryEvent; cursor: NonNullable<HistoryAnswer['cursor']> }[] = [];
      for await (const page of store.pages(deviceId)) {
        for (const [index, stored] of page.events.entries()) {
          if (stored.arrivalTime < from || stored.arrivalTime >= to) continue;
          all.push({
            event: { ...stored, shardId: page.shardId, page: page.page },
            cursor: { arrivalMaxBefore: page.arrivalMaxBefore, page: page.page, index },
          });
        }
      }
      if (order === 'descending') all.reverse();
      const start =
        cursor === undefined
          ? 0
          : all.findIndex((one) => one.cursor.page === cursor.page && one.cursor.index === cursor.index);
      if (start < 0) return { events: [] };
      const events = all.slice(start, start + limit).map((one) => one.event);
      const next = all[start + limit]?.cursor;
      return { events, ...(next === undefined ? {} : { cursor: next }) };
    },
    stateAt: async ({ deviceId, timeMs }: PastStateQuery): Promise<DeviceState | undefined> => {
      let state = newDevice(deviceId);
      for await (const page of store.pages(deviceId)) {
        if (page.lastArrivalTime > timeMs) break;
        state = foldPage(state, page);
      }
      return state.page === 0 ? undefined : state;
    },
  };
}
