import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type ApiProcess, runApi } from './api-process.ts';

const processes: ApiProcess[] = [];

afterEach(() => {
  for (const { child } of processes.splice(0)) child.kill('SIGKILL');
});

function run(environment: Record<string, string>): ApiProcess {
  const api = runApi({ TWINSTREAM_LOG_LEVEL: 'silent', ...environment });
  processes.push(api);
  return api;
}

describe('the process', () => {
  test('says where it listens, lives while its stores are away, and ends with 0 when asked to', async () => {
    const api = run({});
    const { url } = JSON.parse(await api.firstLine());
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    for (const path of ['/v1/devices', '/v1/devices/x', '/v1/devices/x/events', '/v1/pipeline']) {
      const away = await fetch(`${url}${path}`);
      expect([path, away.status]).toEqual([path, 503]);
      expect(await away.json()).toMatchObject({ code: 'UNAVAILABLE' });
    }
    api.child.kill('SIGTERM');
    expect(await api.ended).toBe(0);
  });

  test('ends with 1 and one line when its port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no port');
    const api = run({ TWINSTREAM_API_PORT: String(address.port) });
    expect(await api.ended).toBe(1);
    expect(api.errors()).toBe(
      `query-api: port ${address.port} is taken: choose another, or stop what listens there\n`,
    );
    server.close();
  });

  test('ends with 1 and names the variables that are wrong', async () => {
    const api = run({ TWINSTREAM_API_PORT: 'eighty', TWINSTREAM_STALE_AFTER: 'soon' });
    expect(await api.ended).toBe(1);
    expect(api.errors()).toContain('TWINSTREAM_API_PORT: a port');
    expect(api.errors()).toContain('TWINSTREAM_STALE_AFTER');
    expect(api.errors()).not.toContain(' at ');
  });
});
