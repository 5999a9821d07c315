import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';

/**
 * Characters of events that are held in memory: some 220,000 events of 300 characters, about 300 MB with what they are decoded
 * to. The operator's task has 4 GiB, and a repair has two such lists.
 */
export const HELD_CHARACTERS_MAX = 64 * 1_024 * 1_024;

/** Lists by key, the first of them in memory and the rest on disk. Values are plain data: what a structured clone keeps. */
export interface SpillingLists<Key, Value> {
  /** @param characters of text that the value holds */
  add(key: Key, value: Value, characters: number): void;
  /** Values of a key in the order in which they were added. */
  of(key: Key): readonly Value[];
  /** Frees memory and disk. To be called whatever happens. */
  close(): void;
}

interface Block {
  readonly at: number;
  readonly bytes: number;
}

/**
 * Where more than `charactersMax` are held, all of it goes to a file in a folder of its own, one block for each key, and memory
 * keeps where the blocks are: 100 bytes or so for each key and each time that it was full. Reading takes the memory of one key.
 */
export function spillingLists<Key, Value>(charactersMax = HELD_CHARACTERS_MAX): SpillingLists<Key, Value> {
  const blocks = new Map<Key, Block[]>();
  const held = new Map<Key, Value[]>();
  let characters = 0;
  let end = 0;
  let spill: { readonly folder: string; readonly file: number } | undefined;
  const release = () => {
    held.clear();
    characters = 0;
  };
  const openSpill = () => {
    const folder = mkdtempSync(join(tmpdir(), 'twinstream-repair-'));
    return { folder, file: openSync(join(folder, 'spilled'), 'w+') };
  };
  const spillHeld = () => {
    spill ??= openSpill();
    for (const [key, values] of held) {
      const data = serialize(values);
      for (let from = 0; from < data.length; )
        from += writeSync(spill.file, data, from, undefined, end + from);
      listIn(blocks, key).push({ at: end, bytes: data.length });
      end += data.length;
    }
    release();
  };
  const read = ({ at, bytes }: Block): readonly Value[] => {
    const data = Buffer.alloc(bytes);
    for (let from = 0; from < bytes; ) {
      const count = spill === undefined ? 0 : readSync(spill.file, data, from, bytes - from, at + from);
      if (count === 0) throw new TypeError(`${bytes - from} spilled bytes are missing`);
      from += count;
    }
    return deserialize(data);
  };
  return {
    add: (key, value, valueCharacters) => {
      listIn(held, key).push(value);
      characters += valueCharacters;
      if (characters > charactersMax) spillHeld();
    },
    of: (key) => {
      const ofMemory = held.get(key) ?? [];
      const spilled = blocks.get(key);
      return spilled === undefined ? ofMemory : [...spilled.flatMap(read), ...ofMemory];
    },
    close: () => {
      release();
      blocks.clear();
      if (spill === undefined) return;
      closeSync(spill.file);
      rmSync(spill.folder, { recursive: true, force: true });
      spill = undefined;
    },
  };
}

function listIn<Key, Value>(lists: Map<Key, Value[]>, key: Key): Value[] {
  let list = lists.get(key);
  if (list === undefined) {
    list = [];
    lists.set(key, list);
  }
  return list;
}
