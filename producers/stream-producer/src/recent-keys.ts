/** What was found for the partition keys seen last. */
export interface RecentKeys<T> {
  get(partitionKey: string): T | undefined;
  set(partitionKey: string, value: T): void;
  clear(): void;
}

/** Power of two. Each slot holds one key, so memory is bounded by this many keys. */
const SLOT_COUNT = 65_536;
/** Characters that decide the slot: the last ones, because device ids mostly differ there. */
const SIGNIFICANT_CHARACTERS = 24;

/**
 * A direct-mapped cache: two keys of one slot drive each other out. A miss costs next to nothing, which a Map of the same
 * size does not offer when a fleet is larger than it.
 */
export function createRecentKeys<T>(): RecentKeys<T> {
  let keys: (string | undefined)[] = [];
  let values: (T | undefined)[] = [];

  function clear(): void {
    keys = new Array<string | undefined>(SLOT_COUNT).fill(undefined);
    values = new Array<T | undefined>(SLOT_COUNT).fill(undefined);
  }
  clear();

  return {
    get(partitionKey) {
      const slot = slotOf(partitionKey);
      return keys[slot] === partitionKey ? values[slot] : undefined;
    },
    set(partitionKey, value) {
      const slot = slotOf(partitionKey);
      keys[slot] = partitionKey;
      values[slot] = value;
    },
    clear,
  };
}

function slotOf(key: string): number {
  let mixed = key.length;
  for (let at = Math.max(0, key.length - SIGNIFICANT_CHARACTERS); at < key.length; at += 1) {
    mixed = (Math.imul(mixed, 31) + key.charCodeAt(at)) | 0;
  }
  return (mixed ^ (mixed >>> 16)) & (SLOT_COUNT - 1);
}
