import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventReader } from '@twinstream/test-kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LocalQueryApi, startQueryApi } from '../src/local.ts';
import { memoryPipeline } from './memory-pipeline.ts';
import { memoryServices } from './memory-services.ts';
import { eventOf } from './test-api.ts';

const PAGE = '<!doctype html><title>page</title>';
const NOT_FOUND_PAGE = '<!doctype html><title>not found</title>';
let folder: string;
let api: LocalQueryApi;
let pipeline: ReturnType<typeof memoryPipeline>;
let services: ReturnType<typeof memoryServices>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'query-api-'));
  await mkdir(join(folder, 'dist', 'assets'), { recursive: true });
  await writeFile(join(folder, 'dist', 'index.html'), PAGE);
  await writeFile(join(folder, 'dist', '404.html'), NOT_FOUND_PAGE);
  await writeFile(join(folder, 'dist', 'assets', 'index-a1B2c3D4.js'), 'export {};');
  await writeFile(join(folder, 'dist', '.secret'), 'secret');
  await writeFile(join(folder, 'secret.txt'), 'secret');
  await symlink(join(folder, 'secret.txt'), join(folder, 'dist', 'linked.txt'));
  pipeline = memoryPipeline();
  services = memoryServices(pipeline, { cycleMs: 50 });
  await pipeline.put(eventOf('bus-1', { counter: 1, data: { n: 1 } }, Date.now()), Date.now());
  api = await startQueryApi({ port: 0, services, dashboardDir: join(folder, 'dist') });
});

afterEach(async () => {
  await api.close(100);
  await services.fleet.close();
  await rm(folder, { recursive: true });
});

/** Sends bytes as they are, and gives all that comes back. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(api.port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')));
  });
}

const get = (target: string, headers = '') =>
  raw(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}Connection: close\r\n\r\n`);

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it did not come to pass in 5 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('the local server', () => {
  test('answers the API with a policy that loads nothing', async () => {
    const response = await fetch(`${api.url}/v1/devices/bus-1`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toBe(
      "default-src 'none'; frame-ancestors 'none'",
    );
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('serves the page with a policy that lets only its own files run', async () => {
    const response = await fetch(`${api.url}/`);
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'text/html; charset=utf-8',
      PAGE,
    ]);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe');
    const script = await fetch(`${api.url}/assets/index-a1B2c3D4.js`);
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(script.headers.get('cache-control')).toContain('immutable');
  });

  test('gives a page that says so to a browser at an unknown path, and a problem to anything else', async () => {
    const navigation = await fetch(`${api.url}/devices/bus-1`, { headers: { accept: 'text/html' } });
    expect([navigation.status, await navigation.text()]).toEqual([404, NOT_FOUND_PAGE]);
    const script = await fetch(`${api.url}/assets/none.js`, { headers: { accept: '*/*' } });
    expect([script.status, script.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
    const unknown = await fetch(`${api.url}/v1/none`, { headers: { accept: 'text/html' } });
    expect(unknown.status).toBe(404);
  });

  test.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/.secret',
    '/linked.txt',
    '/%00',
    '/%ff',
  ])('gives no file outside its folder, and no hidden one: %s', async (target) => {
    const answer = await get(target);
    expect(answer).not.toContain('secret\r');
    expect(answer.split('\r\n\r\n')[1]).not.toBe('secret');
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(answer).toContain('application/problem+json');
  });

  test('refuses a host that is not its own, for the page too (DNS rebinding)', async () => {
    for (const target of ['/', '/v1/devices', '/healthz']) {
      const answer = await raw(`GET ${target} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    }
    expect(await get('/v1/devices', 'Origin: http://evil.example\r\n')).toMatch(/^HTTP\/1\.1 403 /);
    expect(await get('/v1/devices', `Origin: http://127.0.0.1\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
  });

  test.each([
    ['no HTTP at all', 'nonsense\r\n\r\n', 400],
    ['no host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['a host that is none', 'GET /healthz HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', 400],
    [
      'two lengths',
      'POST /v1/devices/x/corrections HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
    ],
    ['headers without end', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
    [
      'an absolute target',
      'GET http://evil.example/v1/devices HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n',
      400,
    ],
    [
      'a target with a backslash',
      'GET /v1\\devices HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n',
      400,
    ],
  ])('answers %s with a problem document', async (_what, bytes, status) => {
    const answer = await raw(bytes);
    expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    expect(answer).toContain('application/problem+json');
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '').status).toBe(status);
  });

  test('refuses a body that is too large while it comes, whatever length it claims', async () => {
    const chunk = 'x'.repeat(64_000);
    const chunks = Array.from({ length: 10 }, () => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
    const answer = await raw(
      `POST /v1/devices/x/corrections HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunks}0\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('says which port is taken', async () => {
    await expect(startQueryApi({ port: api.port, services })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringContaining(String(api.port)),
    });
  });

  test('asks for a token where one is set, for the API and not for the page', async () => {
    const token = 'a-token-of-some-length';
    const closed = await startQueryApi({ port: 0, services, token, dashboardDir: join(folder, 'dist') });
    expect((await fetch(`${closed.url}/v1/devices`)).status).toBe(401);
    expect((await fetch(`${closed.url}/`)).status).toBe(200);
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${closed.url}/v1/devices`, { headers })).status).toBe(200);
    await closed.close();
  });

  test('streams updates, and lets go of a client that goes away', async () => {
    const aborting = new AbortController();
    const response = await fetch(`${api.url}/v1/updates`, { signal: aborting.signal });
    if (response.body === null) throw new Error('the answer has no body');
    const reader = eventReader(response.body);
    await until(() => reader.events.some(({ event }) => event === 'sync'));
    await pipeline.put(eventOf('bus-1', { counter: 2, data: { n: 2 } }, Date.now()), Date.now());
    await until(() => reader.events.some(({ event, data }) => event === 'device' && data.attributes.n === 2));
    aborting.abort();
    await until(reader.hasEnded);
  });

  test('ends its streams when it closes, so that clients come back elsewhere', async () => {
    const response = await fetch(`${api.url}/v1/updates`);
    if (response.body === null) throw new Error('the answer has no body');
    const reader = eventReader(response.body);
    await until(() => reader.events.length > 0);
    const closing = api.close(5_000);
    await until(reader.hasEnded);
    await closing;
    api = await startQueryApi({ port: 0, services });
  });

  test('given an access, serves any host what that allows, streams too, and takes no correction', async () => {
    const open = await startQueryApi({
      port: 0,
      services,
      access: async (scope, { header }) =>
        scope === 'open' || header('authorization') === 'Bearer good'
          ? { allowed: true }
          : { allowed: false, answer: new Response(null, { status: 401 }) },
    });
    try {
      const url = `http://127.0.0.1:${open.port}`;
      const headers = { authorization: 'Bearer good', 'content-type': 'application/json' };
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      expect((await fetch(`${url}/v1/devices`)).status).toBe(401);
      expect((await fetch(`${url}/v1/devices`, { headers })).status).toBe(200);
      const body = JSON.stringify({ data: { n: 2 }, reason: 'wrong', actor: 'ann' });
      const correction = { method: 'POST', headers, body };
      expect((await fetch(`${url}/v1/devices/bus-1/corrections`, correction)).status).toBe(404);
      const response = await fetch(`${url}/v1/updates?snapshot=true`, { headers });
      if (response.body === null) throw new Error('the answer has no body');
      const reader = eventReader(response.body);
      await until(() => reader.events.some(({ event }) => event === 'device'));
      await reader.cancel();
    } finally {
      await open.close(100);
    }
  });
});
