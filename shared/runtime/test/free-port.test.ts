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

test('a port that is taken is passed over', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const free = await freePort();
  const drawn = [address.port, address.port, free];
  expect(await freePort(() => drawn.shift() ?? 0)).toBe(free);
  let tries = 0;
  const drawTaken = () => {
    tries += 1;
    return address.port;
  };
  await expect(freePort(drawTaken)).rejects.toThrow('no free port of 127.0.0.1');
  expect(tries).toBe(100);
  taken.close();
});

test('two who choose at the same time choose different ports', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
  expect(new Set(ports).size).toBeGreaterThan(15);
});
