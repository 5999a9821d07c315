import type { Clock } from '@twinstream/runtime';
import type { PlaceList } from './fleet-list.ts';

/**
 * Keeps the order of lists whose sort moves, so that their pages go on in the order of the first one. A list is kept by the process
 * that made it, for a bounded time after its last use and within a bounded number of places; another process does not know it.
 */
export interface KeptLists {
  /** Keeps a list; the id finds it again. */
  keep(list: PlaceList): string;
  /** Undefined where the list has expired, or was never kept here. */
  find(id: string): PlaceList | undefined;
}

export interface KeptListsOptions {
  readonly clock: Clock;
  readonly newId: () => string;
  /** How long a list is kept after its last use, in milliseconds. Default 300,000. */
  readonly keptMs?: number;
  /** Places of all kept lists together, at 12 bytes each where the sort is a number; a single list may have more. Default 10,000,000. */
  readonly placesMax?: number;
}

interface KeptList {
  readonly list: PlaceList;
  readonly useTime: number;
  readonly isContinued: boolean;
}

export function createKeptLists(options: KeptListsOptions): KeptLists {
  const { clock, newId, keptMs = 300_000, placesMax = 10_000_000 } = options;
  /** The least recently used comes first. */
  const lists = new Map<string, KeptList>();
  let places = 0;

  function forget(id: string, { list }: KeptList): void {
    lists.delete(id);
    places -= list.slots.length;
  }

  function forgetExpired(): void {
    for (const [id, kept] of lists) if (clock.now() - kept.useTime > keptMs) forget(id, kept);
  }

  /** Most first pages are never gone on from: their lists make room first. */
  function makeRoomFor(count: number): void {
    const unused = [...lists].filter(([, { isContinued }]) => !isContinued);
    const used = [...lists].filter(([, { isContinued }]) => isContinued);
    for (const [id, kept] of [...unused, ...used]) {
      if (places + count <= placesMax) return;
      forget(id, kept);
    }
  }

  return {
    keep: (list) => {
      forgetExpired();
      makeRoomFor(list.slots.length);
      const id = newId();
      lists.set(id, { list, useTime: clock.now(), isContinued: false });
      places += list.slots.length;
      return id;
    },
    find: (id) => {
      forgetExpired();
      const kept = lists.get(id);
      if (kept === undefined) return undefined;
      lists.delete(id);
      lists.set(id, { ...kept, useTime: clock.now(), isContinued: true });
      return kept.list;
    },
  };
}
