import { type Item, requireText } from '@twinstream/aws/dynamodb';
import { deviceId } from '@twinstream/device-model';
import {
  type AuditableEventStore,
  decodePage,
  decodeSnapshot,
  encodePage,
  isPageSortKey,
  readPageSortKey,
} from '@twinstream/event-store';
import { decodeState, type RepairableLatestState, stateItem } from '@twinstream/latest-state';

/** A table as DynamoDB has it: items and their keys. */
export interface ItemTable {
  readonly keyNames: readonly string[];
  get(key: Item): Promise<Item | undefined>;
  /** False where the key is taken. */
  insert(item: Item): Promise<boolean>;
  /** Puts the item in the place of the one that stands there, whatever it is. */
  replace(item: Item): Promise<void>;
}

/** The items of an event store: what is inserted becomes a page or a snapshot of it. */
export function eventItems(eventStore: AuditableEventStore): ItemTable {
  return {
    keyNames: ['deviceId', 'key'],
    get: async (key) => {
      const place = readPageSortKey(requireText(key, 'key'));
      const range = { from: place, to: place };
      for await (const page of eventStore.pages(deviceId(requireText(key, 'deviceId')), range)) {
        return encodePage(page);
      }
      return undefined;
    },
    insert: async (item) =>
      isPageSortKey(requireText(item, 'key'))
        ? (await eventStore.appendPage(decodePage(item))).outcome === 'appended'
        : (await eventStore.putSnapshot(decodeSnapshot(item))) === 'stored',
    replace: async () => {
      throw new Error('the events table is written by INSERT alone');
    },
  };
}

/** The items of a latest-state table. Conditions are those of the statements: the table adds none of its own. */
export function stateItems(latestState: RepairableLatestState): ItemTable {
  const get = async (key: Item) => {
    const state = await latestState.read(deviceId(requireText(key, 'deviceId')));
    return state && stateItem(state);
  };
  return {
    keyNames: ['deviceId'],
    get,
    insert: async (item) => (await latestState.replace(decodeState(item), 'none')) === 'replaced',
    replace: async (item) => {
      await latestState.replace(decodeState(item), 'damaged');
    },
  };
}
