import type { DeviceId } from '@twinstream/device-model';

/** The slots of devices by rising id. */
export interface IdOrder {
  add(slot: number): void;
  remove(slot: number): void;
  /** The same array as long as no device has come or gone; never changed afterwards. */
  slots(): Uint32Array;
  /** The place of each slot in that order, by slot. */
  ranks(): Uint32Array;
}

/** Order of texts by UTF-16 code units, as that of a list by id. */
function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Devices that come are sorted among themselves and merged in when the order is asked for. */
export function createIdOrder(idOf: (slot: number) => DeviceId): IdOrder {
  let ordered = new Uint32Array(0);
  let added = new Set<number>();
  let removed = new Set<number>();
  let ranked: { readonly slots: Uint32Array; readonly ranks: Uint32Array } | undefined;

  function slots(): Uint32Array {
    if (added.size === 0 && removed.size === 0) return ordered;
    const coming = [...added].sort((a, b) => compareTexts(idOf(a), idOf(b)));
    const kept = removed.size === 0 ? ordered : ordered.filter((slot) => !removed.has(slot));
    ordered = merged(kept, coming, idOf);
    added = new Set();
    removed = new Set();
    return ordered;
  }

  return {
    add: (slot) => {
      if (!removed.delete(slot)) added.add(slot);
    },
    remove: (slot) => {
      if (!added.delete(slot)) removed.add(slot);
    },
    slots,
    ranks: () => {
      const inOrder = slots();
      if (ranked?.slots !== inOrder) ranked = { slots: inOrder, ranks: ranksOf(inOrder) };
      return ranked.ranks;
    },
  };
}

function ranksOf(slots: Uint32Array): Uint32Array {
  let end = 0;
  for (const slot of slots) end = Math.max(end, slot + 1);
  const ranks = new Uint32Array(end);
  for (let rank = 0; rank < slots.length; rank += 1) ranks[slots[rank] ?? 0] = rank;
  return ranks;
}

function merged(
  kept: Uint32Array,
  coming: readonly number[],
  idOf: (slot: number) => DeviceId,
): Uint32Array<ArrayBuffer> {
  const all = new Uint32Array(kept.length + coming.length);
  let from = 0;
  let to = 0;
  for (const slot of coming) {
    const until = firstAtLeast<string>(kept, idOf(slot), idOf, from);
    all.set(kept.subarray(from, until), to);
    to += until - from;
    from = until;
    all[to] = slot;
    to += 1;
  }
  all.set(kept.subarray(from), to);
  return all;
}

/** The first index, from `low` on, whose key is not less than this one. The slots must rise by their keys. */
export function firstAtLeast<Key extends string | number>(
  slots: Uint32Array,
  key: Key,
  keyOf: (slot: number) => Key,
  low = 0,
): number {
  let [from, to] = [low, slots.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (keyOf(slots[middle] ?? 0) < key) from = middle + 1;
    else to = middle;
  }
  return from;
}
