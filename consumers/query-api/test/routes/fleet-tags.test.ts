import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestApi, testApi } from '../test-api.ts';

let api: TestApi;

beforeEach(async () => {
  api = testApi();
  await api.say('bus-1', { counter: 1, data: { speedMph: 1 } });
  await api.say('bus-2', { counter: 1, data: { speedMph: 2 } });
});
afterEach(() => api.close());

const PATHS = [
  '/v1/devices',
  '/v1/devices?sort=events',
  '/v1/fleet/summary',
  '/v1/fleet/aggregates?attribute=speedMph',
];

describe('tags of answers about the fleet', () => {
  test.each(PATHS)('%s answers 304 until something changes, and says as of when', async (path) => {
    const first = await api.ask(path);
    const tag = first.headers.get('etag') ?? '';
    expect(tag).toMatch(/^W\/"/);
    await api.clock.advance(5_000);
    const again = () => api.ask(path, { headers: { 'if-none-match': tag } });
    const same = await again();
    expect(same.status).toBe(304);
    expect(Date.parse(same.headers.get('as-of') ?? '')).toBeGreaterThan(Date.parse(first.body.asOf));
    await api.say('bus-3', { counter: 1, data: { speedMph: 3 } });
    await api.clock.advance(1_100);
    expect((await again()).status).toBe(200);
  });

  test('are of the question, too', async () => {
    const tag = (await api.ask('/v1/devices?limit=1')).headers.get('etag') ?? '';
    const other = await api.ask('/v1/devices?limit=1&q=bus', { headers: { 'if-none-match': tag } });
    expect(other.status).toBe(200);
  });

  test('are not of a page whose cursor leads on in an order of its own', async () => {
    expect((await api.ask('/v1/devices?sort=events&limit=1')).headers.get('etag')).toBeNull();
  });
});
