import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort } from '../src/free-port.ts';

const RANGE_FILE = '/proc/sys/net/ipv4/ip_local_port_range';

test('a free port can be listened on', async () => {
  const port = await freePort();
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.close();
});

test.skipIf(!existsSync(RANGE_FILE))(
  'a free port is none that an outgoing connection may take before a server listens on it',
  async () => {
    const [first = 0, last = 0] = readFileSync(RANGE_FILE, 'utf8').trim().split(/\s+/).map(Number);
    for (let count = 0; count < 50; count += 1) {
      const port = await freePort();
      expect(port < first || port > last, `${port} of ${first}-${last}`).toBe(true);
    }
  },
);

test('two who choose at the same time choose different ports', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, freePort));
  expect(new Set(ports).size).toBeGreaterThan(15);
});
