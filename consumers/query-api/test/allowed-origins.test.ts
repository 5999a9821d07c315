import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loopbackAccess } from '../src/access.ts';
import { createApp } from '../src/app.ts';
import { type TestApi, testApi } from './test-api.ts';

const ORIGIN = 'https://grafana.example';
let api: TestApi;
beforeEach(async () => {
  api = testApi();
  await api.say('bus-1', { counter: 1 });
});
afterEach(() => api.close());

async function ask(origin: string, init: RequestInit = {}, origins: readonly string[] = [ORIGIN]) {
  const app = createApp(api.services, loopbackAccess({ origins }), origins);
  const headers = { host: '127.0.0.1', origin, ...(init.headers as Record<string, string>) };
  return app.request('http://127.0.0.1/v1/devices/bus-1', { ...init, headers });
}
const PREFLIGHT = {
  method: 'OPTIONS',
  headers: { 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' },
};

describe('pages of other origins', () => {
  test('read where their origin is allowed, and see tag and cursor', async () => {
    const answer = await ask(ORIGIN);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(answer.headers.get('access-control-expose-headers')).toContain('ETag');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    expect(answer.headers.get('vary')).toContain('Origin');
  });

  test('are told before what they may ask', async () => {
    const { status, headers } = await ask(ORIGIN, PREFLIGHT);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-methods')).toBe('GET,HEAD');
    expect(headers.get('access-control-allow-headers')).toContain('Authorization');
    expect(headers.get('access-control-max-age')).toBe('600');
  });

  test.each([
    ['another origin', 'https://evil.example', [ORIGIN]],
    ['an origin that only begins alike', `${ORIGIN}.evil.example`, [ORIGIN]],
    ['any origin where none is allowed', ORIGIN, []],
  ])('are refused: %s', async (_what, origin, origins) => {
    for (const init of [{}, PREFLIGHT]) {
      const { status, headers } = await ask(origin, init, origins);
      expect([status, headers.get('access-control-allow-origin')]).toEqual([403, null]);
    }
  });

  test('change nothing, whatever their origin', async () => {
    const app = createApp(api.services, loopbackAccess({ origins: [ORIGIN] }), [ORIGIN]);
    const { status } = await app.request('http://127.0.0.1/v1/devices/bus-1/retirement', {
      method: 'POST',
      headers: { host: '127.0.0.1', origin: ORIGIN, 'content-type': 'application/json' },
      body: '{"reason":"r","actor":"ann"}',
    });
    expect(status).toBe(403);
  });
});
