import { request } from 'node:http';
import { createLogger } from '@twinstream/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFaultControl } from '../../src/faults/fault-control.ts';
import { createFaultInjector } from '../../src/faults/seeded-fault-injector.ts';
import type { LoopbackServer } from '../../src/http/loopback-server.ts';
import { type KinesisServer, startKinesis } from '../../src/kinesis/index.ts';

/** Status of a request that names this host. */
function statusFor(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.once('error', reject);
    asked.end();
  });
}

describe('emulators serve this machine alone', () => {
  let control: LoopbackServer;
  let kinesis: KinesisServer;

  beforeAll(async () => {
    control = await startFaultControl({
      injector: createFaultInjector(),
      logger: createLogger('test', 'silent'),
    });
    kinesis = await startKinesis();
  });
  afterAll(async () => {
    await control.close();
    await kinesis.close();
  });

  test('a page whose own name resolves to 127.0.0.1 is refused', async () => {
    expect(await statusFor(`${control.url}/faults`, 'rebound.example')).toBe(421);
    expect(await statusFor(kinesis.url, 'rebound.example:4567')).toBe(421);
  });

  test.each(['127.0.0.1', 'localhost', 'bucket.localhost', '[::1]'])('%s is this machine', async (name) => {
    expect(await statusFor(`${control.url}/faults`, `${name}:${control.port}`)).toBe(200);
    expect(await statusFor(kinesis.url, name)).not.toBe(421);
  });
});
