import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { TEST_TIME_MS } from '@twinstream/test-kit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fleetRow } from '../../src/fleet/fleet-row.ts';
import { restoredRow, savedRow } from '../../src/fleet/saved/saved-row.ts';
import { readSavedView, type SavedViewHead, writeSavedView } from '../../src/fleet/saved/saved-view.ts';
import { anySeen, anyState } from './plain-fleet.ts';

const anyHead: fc.Arbitrary<SavedViewHead> = fc.record({
  streamName: fc.string(),
  generation: fc.string(),
  asOf: fc.constant(TEST_TIME_MS),
  vector: anySeen,
  readStartTime: fc.nat(),
});
const anyRows = fc.array(
  fc.tuple(anyState.map(fleetRow), fc.option(fc.nat())).map(([row, alteredTime]) => ({
    ...row,
    ...(alteredTime === null ? {} : { alteredTime }),
  })),
  { maxLength: 8 },
);

async function saved(head: SavedViewHead, rows: readonly ReturnType<typeof fleetRow>[]): Promise<Buffer> {
  async function* lines() {
    for (let at = 0; at < rows.length; at += 3) yield rows.slice(at, at + 3).map((row) => savedRow(row, 7));
  }
  return buffer(writeSavedView(head, lines()));
}

async function restored(bytes: Uint8Array) {
  let head: SavedViewHead | undefined;
  const rows: unknown[] = [];
  await readSavedView(Readable.from([bytes], { objectMode: false }), {
    onHead: (found) => {
      head = found;
    },
    onRows: (some) => rows.push(...some.map(restoredRow)),
  });
  return { head, rows };
}

describe('a saved view', () => {
  test('says the same again', async () => {
    await fc.assert(
      fc.asyncProperty(anyHead, anyRows, async (head, rows) => {
        const read = await restored(await saved(head, rows));
        expect(read).toEqual({ head, rows: rows.map((row) => ({ row, readTime: 7 })) });
      }),
    );
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
          expect(read).toEqual({ head, rows: rows.map((row) => ({ row, readTime: 7 })) });
        } else expect(read).toMatch(/^SAVED_VIEW_/);
      }),
    );
  });
});
