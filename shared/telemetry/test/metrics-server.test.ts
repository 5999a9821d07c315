import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { type MetricsServer, processExposition, serveMetrics } from '../src/index.ts';

const run = promisify(execFile);
const INDEX = new URL('../src/index.ts', import.meta.url).href;

let server: MetricsServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const expose = processExposition('test', [
  { type: 'counter', name: 'test_events_total', help: 'Events.', samples: () => [{ value: 7 }] },
  {
    type: 'gauge',
    name: 'test_lag_seconds',
    help: 'Lag.',
    labelNames: ['shard'],
    samples: () => [{ labels: { shard: 'a' }, value: 1.5 }],
  },
]);

test('a scrape reads what is counted, beside what every process tells of itself', async () => {
  server = await serveMetrics(expose, 0);
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  for (let scrape = 0; scrape < 2; scrape += 1) {
    const response = await fetch(server.url);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await response.text();
    expect(text).toContain('# TYPE test_events_total counter\ntest_events_total 7\n');
    expect(text).toContain('test_lag_seconds{shard="a"} 1.5\n');
    expect(text).toMatch(/^process_resident_memory_bytes\{process="test"\} \d+$/m);
  }
});

test('there is nothing else, no other method, and no answer to a name that is not of this machine', async () => {
  server = await serveMetrics(expose, 0);
  expect((await fetch(new URL('/', server.url))).status).toBe(404);
  expect((await fetch(server.url, { method: 'POST' })).status).toBe(405);
  const { url } = server;
  const status = await new Promise((resolve) => {
    request(url, { headers: { host: 'evil.example' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).end();
  });
  expect(status).toBe(421);
});

test('a port that is taken is refused by its name', async () => {
  server = await serveMetrics(expose, 0);
  const port = Number(new URL(server.url).port);
  await expect(serveMetrics(expose, port)).rejects.toMatchObject({ code: 'PORT_TAKEN' });
});

test('the library of metrics is loaded by the first scrape, not by a process that could be scraped', async () => {
  const script = `
    const { createRequire } = await import('node:module');
    const { cache } = createRequire(import.meta.url);
    const isLoaded = () => Object.keys(cache).some((path) => /prom-client|opentelemetry/.test(path));
    const { processExposition, serveMetrics } = await import(${JSON.stringify(INDEX)});
    const expose = processExposition('test', []);
    const server = await serveMetrics(expose, 0);
    const before = isLoaded();
    await fetch(server.url);
    console.log(JSON.stringify([before, isLoaded()]));
    await server.close();
  `;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: new URL('..', import.meta.url),
  });
  expect(JSON.parse(stdout)).toEqual([false, true]);
});
