import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { TEST_TIME_MS } from '@twinstream/test-kit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FleetRows } from '../../src/fleet/fleet-rows.ts';
import { readSavedView, type SavedViewHead, writeSavedView } from '../../src/fleet/saved/saved-view.ts';
import { anySeen, anyState, newRows } from './plain-fleet.ts';

const anyHead: fc.Arbitrary<SavedViewHead> = fc.record({
  streamName: fc.string(),
  generation: fc.string(),
  asOf: fc.constant(TEST_TIME_MS),
  vector: anySeen,
  readStartTime: fc.nat(),
});
const NOW = TEST_TIME_MS;
const anyRows = fc.array(anyState, { maxLength: 8 }).map((states) => {
  const rows = newRows();
  for (const [index, state] of states.entries()) rows.put(state, index, NOW);
  return rows;
});

async function saved(head: SavedViewHead, { columns, inOrder }: FleetRows): Promise<Buffer> {
  async function* lines() {
    for (const slot of inOrder()) yield [columns.save(slot)];
  }
  return buffer(writeSavedView(head, lines()));
}

async function restored(bytes: Uint8Array) {
  let head: SavedViewHead | undefined;
  const rows = newRows();
  await readSavedView(Readable.from([bytes], { objectMode: false }), {
    onHead: (found) => {
      head = found;
    },
    onRows: rows.restore,
  });
  rows.ageTo(NOW, undefined);
  return { head, rows: shownOf(rows), held: rows };
}

function shownOf({ columns, inOrder, shown }: FleetRows) {
  return [...inOrder()].map((slot) => [shown(columns.idOf(slot)), columns.numbers.readTime[slot]]);
}

describe('a saved view', () => {
  test('says the same again', async () => {
    await fc.assert(
      fc.asyncProperty(anyHead, anyRows, async (head, rows) => {
        const { held, ...read } = await restored(await saved(head, rows));
        expect(read).toEqual({ head, rows: shownOf(rows) });
        held.beginReading(NOW).dropRest();
        const { texts, shapes, shardSets } = held.columns;
        expect([...texts.entries(), ...shapes.entries(), ...shardSets.entries()]).toEqual([]);
      }),
    );
  });

  test('is refused by name where a row is not of its form', async () => {
    const [head] = fc.sample(anyHead, 1);
    if (head === undefined) throw new TypeError('no head');
    const state = fc.sample(anyState, 1);
    const rows = newRows();
    for (const one of state) rows.put(one, 0, NOW);
    const [whole] = [...rows.inOrder()].map((slot) => rows.columns.save(slot));
    async function* lines() {
      yield [whole?.with(7, undefined as never) as never];
    }
    const bytes = await buffer(writeSavedView(head, lines()));
    await expect(restored(bytes)).rejects.toMatchObject({ code: 'SAVED_VIEW_DAMAGED' });
  });

  test('is refused by name where a byte of it is another, or its end is missing, unless it says the same', async () => {
    await fc.assert(
      fc.asyncProperty(anyHead, anyRows, fc.nat(), fc.boolean(), async (head, rows, at, isCut) => {
        const bytes = await saved(head, rows);
        const place = at % bytes.length;
        const other = isCut ? bytes.subarray(0, place) : Buffer.from(bytes);
        if (!isCut) other[place] = (other[place] ?? 0) ^ 0x10;
        // The end of a frame, and some bits of its head, mean nothing to what it holds.
        const read = await restored(other).catch((error: { code?: string }) => error.code);
        if (typeof read === 'object') {
          expect([read.head, read.rows]).toEqual([head, shownOf(rows)]);
        } else expect(read).toMatch(/^SAVED_VIEW_/);
      }),
    );
  });
});
