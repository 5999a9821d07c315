import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestApi, testApi } from '../test-api.ts';

let api: TestApi;
const MINUTE_MS = 60_000;

beforeEach(async () => {
  api = testApi();
  for (let n = 0; n < 230; n += 1) {
    await api.say(`bus-${String(n).padStart(3, '0')}`, { counter: 1, data: { n, speedMph: 1 } });
  }
  await api.clock.advance(MINUTE_MS);
  await api.say('bus-001', { counter: 2, data: { speedMph: 99 }, time: '2026-11-02T07:00:00.000Z' });
  await api.say('bus-999', { counter: 1, data: { n: 999 } });
  await api.clock.advance(MINUTE_MS);
});
afterEach(() => api.close());

const AT = 'at=2026-11-02T08:00:30Z';
async function all(query: string) {
  const pages: { devices: { deviceId: string }[]; past: { devicesRead: number; reads: number } }[] = [];
  let cursor = '';
  for (;;) {
    const { body } = await api.ask(`/v1/devices?${query}${cursor}`);
    pages.push(body);
    if (body.cursor === undefined) return pages;
    cursor = `&cursor=${body.cursor}`;
  }
}
const idsOf = (pages: Awaited<ReturnType<typeof all>>) =>
  pages.flatMap(({ devices }) => devices.map(({ deviceId }) => deviceId));

describe('the fleet at a past moment', () => {
  test('is what each device was then, page by page, each once', async () => {
    const pages = await all(`${AT}&limit=1000`);
    const ids = idsOf(pages);
    expect(ids).toHaveLength(230);
    expect([new Set(ids).size, ids.includes('bus-999')]).toEqual([230, false]);
    expect(pages.map(({ past }) => past.devicesRead)).toEqual([100, 100, 31]);
    const [device] = (await api.ask(`/v1/devices?${AT}&ids=bus-001`)).body.devices;
    expect(device).toEqual((await api.ask(`/v1/devices/bus-001?${AT}`)).body);
    expect(device.attributes.speedMph).toBe(1);
    expect(idsOf(await all(`${AT}&limit=1000&order=desc`))).toEqual([...ids].reverse());
  });

  test('stays that of the first page where its moment is relative', async () => {
    const query = 'at=now-90s&attr.speedMph=1&limit=1000';
    const first = (await api.ask(`/v1/devices?${query}`)).body;
    await api.clock.advance(10 * MINUTE_MS);
    const next = (await api.ask(`/v1/devices?${query}&cursor=${first.cursor}`)).body;
    expect([first.past.at, next.past.at]).toEqual(['2026-11-02T08:00:30.000Z', '2026-11-02T08:00:30.000Z']);
    expect(next.devices).toHaveLength(100);
    const forged = [JSON.parse(Buffer.from(first.cursor, 'base64url').toString())[0], ['bus-001', 9e15]];
    const cursor = Buffer.from(JSON.stringify(forged)).toString('base64url');
    expect((await api.ask(`/v1/devices?${query}&cursor=${cursor}`)).status).toBe(400);
  });

  test('says what it took: more reads for more devices', async () => {
    const few = (await api.ask(`/v1/devices?${AT}&limit=3`)).body;
    expect(few).toMatchObject({
      total: 231,
      past: { at: '2026-11-02T08:00:30.000Z', basis: 'arrival', devicesRead: 3 },
    });
    const more = (await api.ask(`/v1/devices?${AT}&limit=50`)).body;
    expect(few.past.reads).toBeGreaterThanOrEqual(3);
    expect(more.past.reads).toBeGreaterThan(10 * few.past.reads);
  });

  test('is filtered by what was so then; a page may be empty', async () => {
    const pages = await all(`${AT}&attr.n=gt:225&limit=1000`);
    expect(idsOf(pages)).toEqual(['bus-226', 'bus-227', 'bus-228', 'bus-229']);
    expect(pages.map(({ devices }) => devices.length)).toEqual([0, 0, 4]);
    expect(idsOf(await all(`${AT}&attr.speedMph=99`))).toEqual([]);
    expect(idsOf(await all(`${AT}&basis=event-time&attr.speedMph=99`))).toEqual(['bus-001']);
  });

  test('has no order but that of the ids, and no future', async () => {
    expect((await api.ask(`/v1/devices?${AT}&sort=events`)).body).toMatchObject({ parameter: 'sort' });
    expect((await api.ask('/v1/devices?at=2030-01-01T00:00:00Z')).body).toMatchObject({ parameter: 'at' });
    expect((await api.ask('/v1/devices?basis=arrival')).body).toMatchObject({ parameter: 'basis' });
    expect((await api.ask('/v1/devices?at=now&limit=1')).body.past).toBeUndefined();
  });
});
