import { eventReader } from '@twinstream/test-kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LocalQueryApi, type LocalQueryApiOptions, startQueryApi } from '../../src/local.ts';
import { createApiMetrics } from '../../src/metrics/api-metrics.ts';
import type { QueryApiServices } from '../../src/services.ts';
import { type MemoryPipeline, memoryPipeline } from '../memory-pipeline.ts';
import { memoryServices } from '../memory-services.ts';
import { eventOf } from '../test-api.ts';

let pipeline: MemoryPipeline;
let services: QueryApiServices;
const opened: LocalQueryApi[] = [];

beforeEach(async () => {
  pipeline = memoryPipeline();
  services = memoryServices(pipeline, { cycleMs: 50 });
  for (const device of ['bus-1', 'bus-2'])
    await pipeline.put(eventOf(device, { counter: 1, data: { n: 1 } }, Date.now()), Date.now());
});
afterEach(async () => {
  for (const api of opened.splice(0)) await api.close(100);
  await services.fleet.close();
});

async function start(options: Partial<LocalQueryApiOptions> = {}): Promise<LocalQueryApi> {
  const api = await startQueryApi({ port: 0, services, ...options });
  opened.push(api);
  return api;
}

const startWithMetrics = async () => start({ metrics: await createApiMetrics({ services }) });

async function scrape({ url }: LocalQueryApi): Promise<string> {
  const response = await fetch(`${url}/metrics`);
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  return response.text();
}

describe('GET /metrics', () => {
  test('counts requests by path of the contract, method and status, and never by device', async () => {
    const api = await startWithMetrics();
    for (const path of [
      '/v1/devices/bus-1',
      '/v1/devices/bus-2',
      '/v1/devices/bus-3',
      '/nothing',
      '/v1/devices',
    ]) {
      await (await fetch(`${api.url}${path}`)).text();
    }
    await (await fetch(`${api.url}/v1/devices/bus-1`, { method: 'PUT' })).text();
    const text = await scrape(api);
    const counted = text.split('\n').filter((line) => line.startsWith('twinstream_api_requests_total'));
    expect(counted.sort()).toEqual([
      'twinstream_api_requests_total{route="/v1/devices",method="GET",status="200"} 1',
      'twinstream_api_requests_total{route="/v1/devices/{deviceId}",method="GET",status="200"} 2',
      'twinstream_api_requests_total{route="/v1/devices/{deviceId}",method="GET",status="404"} 1',
      'twinstream_api_requests_total{route="/v1/devices/{deviceId}",method="OTHER",status="405"} 1',
      'twinstream_api_requests_total{route="other",method="GET",status="404"} 1',
    ]);
    expect(text).toContain(
      'twinstream_api_request_duration_seconds_count{route="/v1/devices/{deviceId}",method="GET"} 3',
    );
    expect(text).not.toContain('bus-');
  });

  test('tells size and age of the fleet, lag and backlog by shard, and open update streams', async () => {
    const api = await startWithMetrics();
    const stream = await fetch(`${api.url}/v1/updates`);
    if (stream.body === null) throw new Error('the answer has no body');
    const reader = eventReader(stream.body);
    const text = await scrape(api);
    await reader.cancel();
    expect(text).toContain('\ntwinstream_api_update_clients 1\n');
    expect(text).toContain('\ntwinstream_fleet_devices 2\n');
    expect(text).toMatch(/^twinstream_fleet_age_seconds [0-4](?:\.\d+)?$/m);
    expect(text).toContain('\ntwinstream_api_readable{part="fleet"} 1\n');
    expect(text).toContain('\ntwinstream_api_readable{part="pipeline"} 1\n');
    for (const shard of pipeline.shardIds) {
      expect(text).toContain(`\ntwinstream_pipeline_lag_seconds{shard="${shard}"} 0\n`);
    }
    expect(text).toContain(`\ntwinstream_pipeline_shards{state="open"} ${pipeline.shardIds.length}\n`);
    expect(text).toContain('\ntwinstream_quarantine_entries 0\n');
  });

  test('leaves out what cannot be read, says so, and answers all the same', async () => {
    services = {
      ...services,
      pipeline: () => Promise.reject(new Error('no stream')),
    };
    const text = await scrape(await startWithMetrics());
    expect(text).toContain('\ntwinstream_api_readable{part="pipeline"} 0\n');
    expect(text).toContain('\ntwinstream_fleet_devices 2\n');
    expect(text).not.toMatch(/^twinstream_(?:pipeline_lag|quarantine)/m);
  });

  test('asks for the token where there is one, and is not there without metrics', async () => {
    const token = 'a token of 16 characters';
    const metrics = await createApiMetrics({ services });
    const api = await start({ metrics, token });
    expect((await fetch(`${api.url}/metrics`)).status).toBe(401);
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${api.url}/metrics`, { headers })).status).toBe(200);
    expect((await fetch(`${(await start()).url}/metrics`)).status).toBe(404);
  });

  test('adds the metrics of the processes beside it', async () => {
    const other = await startWithMetrics();
    const peers = [{ process: 'other', url: `${other.url}/metrics` }];
    const text = await scrape(await start({ metrics: await createApiMetrics({ services, peers }) }));
    expect(text).toContain('\ntwinstream_process_up{process="other"} 1\n');
    expect(text.match(/^# TYPE twinstream_fleet_devices gauge$/gm)).toHaveLength(1);
  });
});
