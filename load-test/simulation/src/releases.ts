import type { Item } from '@twinstream/aws/dynamodb';
import type { DeviceState } from '@twinstream/device-model';
import { decodeState, type RepairableLatestState, stateItem } from '@twinstream/latest-state';
import { formerStateItem, readAsFormerRelease } from '@twinstream/latest-state/contract';
import type { Stores } from './watched-stores.ts';

/** Whose forms a process reads and writes: those of this release, or of the one before it. */
export type Release = 'this' | 'before';

/**
 * State items of two releases in the same tables, as while a deployment shifts, and after it went back. The ground truth holds states;
 * this remembers in which form each was written, and reads it with the code of the reader's release.
 */
export class Releases {
  readonly #formerPlaces = new WeakMap<RepairableLatestState, Set<string>>();
  /** Reads of the release before that found an item which leaves out what it needs. */
  refusedCount = 0;

  /** The stores, remembering in which form a process of the release writes. */
  written(release: Release, stores: Stores): Stores {
    const { latestState } = stores;
    const remember = (state: DeviceState) => {
      const places = this.#placesOf(latestState);
      if (release === 'before') places.add(placeOf(state));
      else places.delete(placeOf(state));
    };
    return {
      ...stores,
      latestState: {
        ...latestState,
        write: async (state, signal) => {
          const result = await latestState.write(state, signal);
          if (result.outcome === 'written') remember(state);
          return result;
        },
        replace: async (state, observed, signal) => {
          const result = await latestState.replace(state, observed, signal);
          if (result === 'replaced') remember(state);
          return result;
        },
      },
    };
  }

  /**
   * The stores as they are reached, read by the code of the release: what comes over the network are items.
   *
   * @param truth the stores that were given to {@link written}
   */
  read(release: Release, reached: Stores, truth: Stores): Stores {
    const places = this.#placesOf(truth.latestState);
    const decode = (item: Item): DeviceState => {
      if (release === 'this') return decodeState(item);
      try {
        return readAsFormerRelease(item);
      } catch (error) {
        this.refusedCount += 1;
        throw error;
      }
    };
    return {
      ...reached,
      latestState: {
        ...reached.latestState,
        read: async (deviceId, options) => {
          const state = await reached.latestState.read(deviceId, options);
          if (state === undefined) return undefined;
          return decode(places.has(placeOf(state)) ? formerStateItem(state) : stateItem(state));
        },
      },
    };
  }

  #placesOf(latestState: RepairableLatestState): Set<string> {
    const known = this.#formerPlaces.get(latestState) ?? new Set();
    this.#formerPlaces.set(latestState, known);
    return known;
  }
}

/** A page has one state, and one writer that wrote it first. */
function placeOf({ deviceId, page }: DeviceState): string {
  return `${deviceId} ${page}`;
}
