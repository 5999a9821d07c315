import { buffer } from 'node:stream/consumers';
import type { SavedViewStore } from '../../src/fleet/saved/saved-view-store.ts';

/** A place for a saved view in memory, and what stands there. */
export function memorySavedView(now: () => number): SavedViewStore & { bytes?: Buffer } {
  let time: number | undefined;
  const store: SavedViewStore & { bytes?: Buffer } = {
    savedTime: async () => time,
    read: async () => (store.bytes === undefined ? undefined : oneByOne(store.bytes)),
    write: async (bytes) => {
      store.bytes = await buffer(bytes);
      time = now();
    },
  };
  return store;
}

/** In chunks that end anywhere. */
async function* oneByOne(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 97) yield bytes.subarray(start, start + 97);
}
