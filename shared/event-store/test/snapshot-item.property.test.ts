import { FOLD_VERSION, type JsonValue } from '@twinstream/device-model';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawnChain, writeChain } from '../contract/random-chain.ts';
import { makeSnapshot } from '../src/make-snapshot.ts';
import { memoryEventStore } from '../src/memory-event-store.ts';
import { decodeSnapshot, encodeSnapshot } from '../src/snapshot-item.ts';

/** -0 has no JSON of its own: it reads back as 0. */
const value = fc
  .jsonValue({ maxDepth: 3 })
  .map((json) => JSON.parse(JSON.stringify(json)) as JsonValue)
  .filter((json) => json !== null);
const name = fc.oneof(
  fc.string({ minLength: 1, unit: 'grapheme' }),
  fc.constantFrom('__proto__', '7', 'toString'),
);

describe('a snapshot as an item', () => {
  it('comes back exactly', async () => {
    await fc.assert(
      fc.asyncProperty(drawnChain, fc.dictionary(name, value), async (drawn, values) => {
        const store = memoryEventStore();
        const { states } = await writeChain(store, drawn, 0);
        for (const bare of states) {
          const attributes = new Map(bare.attributes);
          for (const [key, own] of Object.entries(values)) {
            attributes.set(key, { value: own, version: { session: 1, counter: 2, ordinal: 0, revision: 0 } });
          }
          const state = { ...bare, attributes };
          const made = await makeSnapshot(store, state);
          if (made === undefined) throw new Error('too many pages');
          const item = encodeSnapshot(made);
          expect(item && decodeSnapshot(item)).toEqual(made);
          const bounded = { foldVersion: FOLD_VERSION, state, receipts: state.receipts };
          const boundedItem = encodeSnapshot(bounded);
          expect(boundedItem && decodeSnapshot(boundedItem)).toEqual(bounded);
        }
      }),
      { numRuns: 150 },
    );
  });
});
