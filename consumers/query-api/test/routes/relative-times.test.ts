import { gunzipSync } from 'node:zlib';
import { CodedError } from '@twinstream/runtime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loopbackAccess } from '../../src/access.ts';
import { createApp } from '../../src/app.ts';
import { type TestApi, testApi } from '../test-api.ts';

let api: TestApi;
beforeEach(async () => {
  api = testApi();
  await api.say('bus-1', { counter: 1, data: { load: 1 } });
  await api.clock.advance(600_000);
  await api.say('bus-1', { counter: 2, data: { load: 2 } });
  await api.clock.advance(60_000);
});
afterEach(() => api.close());

const attributesOf = async (query: string) => (await api.ask(`/v1/devices/bus-1?${query}`)).body.attributes;

describe('relative times', () => {
  test('name a moment of a device', async () => {
    expect(await attributesOf('at=now')).toEqual({ load: 2 });
    expect(await attributesOf('at=now-5m')).toEqual({ load: 1 });
    const { body } = await api.ask('/v1/devices/bus-1?diff=now-5m');
    expect(body.changes.attributes).toEqual({ load: { before: 1, after: 2 } });
  });

  test('are never answered with 304: they are another moment each time', async () => {
    const { headers } = await api.ask('/v1/devices/bus-1?at=now-5m');
    const again = await api.ask('/v1/devices/bus-1?at=now-5m', {
      headers: { 'if-none-match': headers.get('etag') ?? '' },
    });
    expect(again.status).toBe(200);
  });

  test('bound a history, whose cursors go on while time passes', async () => {
    const ask = (cursor = '') => api.ask(`/v1/devices/bus-1/events?from=now-1h&limit=1${cursor}`);
    const { body } = await ask();
    await api.clock.advance(5_000);
    const next = await ask(`&cursor=${body.cursor}`);
    expect(next.body.events.map(({ counter }: { counter: number }) => counter)).toEqual([2]);
    const recent = await api.ask('/v1/devices/bus-1/events?from=now-5m');
    expect(recent.body.events).toHaveLength(1);
  });

  test('bound a series', async () => {
    const { body } = await api.ask('/v1/devices/bus-1/series?attribute=load&from=now-5m&to=now&interval=5m');
    expect(body.buckets).toHaveLength(1);
  });

  test.each(['now+5m', 'now-', 'now-5', 'yesterday', 'now-0s'])('refuses %s', async (text) => {
    const { status, body } = await api.ask(`/v1/devices/bus-1?at=${encodeURIComponent(text)}`);
    expect([status, body.parameter]).toEqual([400, 'at']);
    expect(body.detail).toContain('now-15m');
  });
});

describe('readiness', () => {
  test('is told once the fleet has been read', async () => {
    const { status, body } = await api.ask('/readyz');
    expect([status, body.status]).toEqual([200, 'ready']);
  });

  test('is denied while the fleet cannot be read', async () => {
    const services = { ...api.services, fleet: { ...api.services.fleet, current: unavailable } };
    const response = await createApp(services, loopbackAccess()).request('http://127.0.0.1/readyz', {
      headers: { host: '127.0.0.1' },
    });
    expect(response.status).toBe(503);
  });
});

test('answers are compressed for those who accept it, and update streams are not', async () => {
  for (let device = 0; device < 20; device += 1) await api.say(`tram-${device}`, { counter: 1 });
  await api.clock.advance(2_000);
  const app = createApp(api.services, loopbackAccess());
  const headers = { host: '127.0.0.1', 'accept-encoding': 'gzip' };
  const response = await app.request('http://127.0.0.1/v1/devices', { headers });
  expect(response.headers.get('content-encoding')).toBe('gzip');
  const body = JSON.parse(gunzipSync(Buffer.from(await response.arrayBuffer())).toString());
  expect(body.total).toBe(21);
  const stream = await app.request('http://127.0.0.1/v1/updates', { method: 'HEAD', headers });
  expect(stream.headers.get('content-encoding')).toBeNull();
});

async function unavailable(): Promise<never> {
  throw new CodedError('FLEET_UNAVAILABLE', 'the fleet cannot be read', { retryable: true });
}
