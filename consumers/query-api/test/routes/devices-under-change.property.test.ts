import { SORT_NAMES } from '@twinstream/api-contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { testApi } from '../test-api.ts';

const DEVICES = 12;
const name = (device: number) => `d-${String(device).padStart(2, '0')}`;
const ALL = Array.from({ length: DEVICES }, (_, device) => name(device));

/** What happens between two pages: devices that speak, some of which skip counters, change their site, or are new. */
const happening = fc.array(
  fc.record({
    device: fc.nat({ max: DEVICES + 3 }),
    skips: fc.nat({ max: 2 }),
    site: fc.constantFrom('a', 'b', 'c'),
    type: fc.constantFrom('reported', 'connected', 'disconnected'),
  }),
  { maxLength: 8 },
);

describe('pages of a list whose devices change between the pages', () => {
  test('list each device of the first page’s moment once, in the order of that moment, and end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SORT_NAMES),
        fc.constantFrom('asc', 'desc'),
        fc.integer({ min: 1, max: 5 }),
        fc.array(happening, { minLength: DEVICES + 4, maxLength: DEVICES + 4 }),
        async (sort, order, limit, happenings) => {
          const api = testApi();
          const counters = new Map<string, number>();
          const say = async (device: string, { skips = 0, site = 'a', type = 'reported' } = {}) => {
            const counter = (counters.get(device) ?? 0) + 1 + skips;
            counters.set(device, counter);
            await api.say(device, { type, counter, data: { site } });
          };
          for (const device of ALL) {
            await say(device);
            await api.clock.advance(10);
          }
          await api.clock.advance(2_000);
          const query = `/v1/devices?sort=${sort}&order=${order}`;
          const { body: whole } = await api.ask(`${query}&limit=1000`);
          const listed: string[] = [];
          let cursor = '';
          for (const changes of happenings) {
            const { body } = await api.ask(`${query}&limit=${limit}${cursor}`);
            listed.push(...body.devices.map(({ deviceId }: { deviceId: string }) => deviceId));
            cursor = body.cursor === undefined ? '' : `&cursor=${body.cursor}`;
            if (cursor === '') break;
            for (const { device, ...said } of changes) await say(name(device), said);
            await api.clock.advance(2_000);
          }
          await api.close();
          const wanted = whole.devices.map(({ deviceId }: { deviceId: string }) => deviceId);
          expect(cursor).toBe('');
          // A device that comes meanwhile has a place in the list by id, the only order in which none moves.
          expect(sort === 'deviceId' ? listed.filter((id) => ALL.includes(id)) : listed).toEqual(wanted);
        },
      ),
      { numRuns: 40 },
    );
  });
});
