import { DEVICE, TEST_TIME_MS } from '@twinstream/test-kit';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { drawnChain, writeChain } from '../contract/random-chain.ts';
import { readHistory } from '../src/history.ts';
import type { HistoryCursor, HistoryEvent, HistoryQuery } from '../src/history-query.ts';
import { memoryEventStore } from '../src/memory-event-store.ts';

const bound = fc.option(
  fc.integer({ min: -5, max: 45 }).map((ms) => TEST_TIME_MS + ms),
  { nil: undefined },
);

it('gives every event of a range once, in chain order or its reverse, however it is cut into answers', async () => {
  await fc.assert(
    fc.asyncProperty(
      drawnChain,
      bound,
      bound,
      fc.constantFrom('ascending', 'descending'),
      fc.integer({ min: 1, max: 7 }),
      // Tiny ones, so that answers end for each reason, and reading and skimming alternate.
      fc.record({
        bytesMax: fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.constant(Number.POSITIVE_INFINITY)),
        pagesMax: fc.integer({ min: 1, max: 6 }),
        summariesMax: fc.integer({ min: 1, max: 6 }),
        missesBeforeSkimming: fc.integer({ min: 1, max: 3 }),
      }),
      async (drawn, from, to, order, limit, limits) => {
        const store = memoryEventStore();
        const { pages } = await writeChain(store, drawn, 0);
        const expected = pages
          .flatMap(({ events, shardId, page }) => events.map((stored) => ({ ...stored, shardId, page })))
          .filter(
            ({ arrivalTime }) => arrivalTime >= (from ?? 0) && arrivalTime < (to ?? Number.POSITIVE_INFINITY),
          );
        if (order === 'descending') expected.reverse();
        const query: HistoryQuery = {
          deviceId: DEVICE,
          order,
          limit,
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
        };
        const found: HistoryEvent[] = [];
        let cursor: HistoryCursor | undefined;
        do {
          const answer = await readHistory(
            store,
            { ...query, ...(cursor === undefined ? {} : { cursor }) },
            limits,
          );
          expect(answer.events.length).toBeLessThanOrEqual(limit);
          if (answer.events.length > 1) {
            const texts = answer.events.map(({ text }) => text).join('');
            expect(Buffer.byteLength(texts)).toBeLessThanOrEqual(limits.bytesMax);
          }
          found.push(...answer.events);
          cursor = answer.cursor;
        } while (cursor !== undefined);
        expect(found).toEqual(expected);
      },
    ),
    { numRuns: 600 },
  );
});
