import { afterEach, expect, test } from 'vitest';
import {
  formatMetricsPeers,
  type MetricsServer,
  parseMetricsPeers,
  scrapedPeers,
  serveMetrics,
} from '../src/index.ts';

const servers: MetricsServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

test('peers are read from text as they are written to it', () => {
  const peers = [
    { process: 'emulators', url: 'http://127.0.0.1:1/metrics' },
    { process: 'device-simulator', url: 'http://127.0.0.1:2/metrics' },
  ];
  expect(parseMetricsPeers(formatMetricsPeers(peers))).toEqual(peers);
  expect(parseMetricsPeers('')).toEqual([]);
});

test.each(['http://127.0.0.1:1/metrics', 'a=ftp://x', 'A=http://x', 'a=http://', 'a=http://x,,'])(
  'is undefined for %s',
  (text) => {
    expect(parseMetricsPeers(text)).toBeUndefined();
  },
);

test('a peer that does not answer is left out, and named as down', async () => {
  const server = await serveMetrics(async () => ({ contentType: 'text/plain', text: 'a 1\n' }), 0);
  const gone = await serveMetrics(async () => ({ contentType: 'text/plain', text: '' }), 0);
  servers.push(server);
  await gone.close();
  const failures: string[] = [];
  const { scrape, up } = scrapedPeers(
    [
      { process: 'here', url: server.url },
      { process: 'gone', url: gone.url },
    ],
    ({ process }) => failures.push(process),
  );
  expect(await scrape()).toEqual(['a 1\n']);
  expect(failures).toEqual(['gone']);
  expect(up.samples()).toEqual([
    { labels: { process: 'here' }, value: 1 },
    { labels: { process: 'gone' }, value: 0 },
  ]);
});
