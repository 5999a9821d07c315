import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import type { WholeDevice } from '@twinstream/api-contract';
import { EXIT_CODES } from '@twinstream/command-line';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { operationsOf } from '../src/operations-pipeline.ts';
import { type RunningPipeline, runPipeline, temporaryFolder } from '../src/running-pipeline.ts';

const MAPPING = `
language: 1
mapping: flat
version: 1
rules:
  - name: telemetry
    when: [{ value: device_id, exists: true }]
    event:
      deviceId: device_id
      time: { path: ts, steps: [{ time: { unit: seconds } }] }
      data: { path: $payload, steps: [{ drop: [device_id, ts] }] }
`;
const TS = Date.parse('2026-01-01T00:00:00Z') / 1_000;
const DEVICES = 12;
const REPORTS = 5;

const folder = temporaryFolder();
let pipeline: RunningPipeline;

beforeAll(async () => {
  const mapping = join(folder.path, 'flat.yaml');
  writeFileSync(mapping, MAPPING);
  pipeline = await runPipeline(folder.path, '--mapping', mapping);
}, 120_000);
afterAll(async () => {
  await pipeline.stop();
  folder.dispose();
}, 60_000);

test('flat JSON put by a plain SDK client becomes the state of its devices, none of it in quarantine, equal to its archive', async () => {
  const { AWS_ENDPOINT_URL_KINESIS: endpoint = '', TWINSTREAM_STREAM: StreamName } = pipeline.environment;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new KinesisClient({ endpoint, region: 'us-east-1', credentials });
  for (let report = 0; report < REPORTS; report += 1) {
    const puts = Array.from({ length: DEVICES }, (_, device) => {
      const payload = { device_id: `pump-${device}`, ts: TS + report, temp: device + report / 2 };
      const Data = Buffer.from(JSON.stringify(payload));
      return client.send(new PutRecordCommand({ StreamName, PartitionKey: payload.device_id, Data }));
    });
    await Promise.all(puts);
  }
  client.destroy();
  await pipeline.caughtUp();
  for (let device = 0; device < DEVICES; device += 1) {
    const response = await fetch(`${pipeline.apiUrl}/v1/devices/pump-${device}`);
    const { attributes } = (await response.json()) as WholeDevice;
    expect(attributes.temp).toBe(device + (REPORTS - 1) / 2);
  }
  const { ops, json } = operationsOf(pipeline, folder.path);
  expect((await ops('quarantine', 'list')).stdout).toContain('0 records');
  // Firehose delivers after its buffering interval.
  const isArchived = async () => (await ops('verify', '--archive-lag', '0s')).code;
  await expect.poll(isArchived, { timeout: 60_000, interval: 1_000 }).toBe(EXIT_CODES.success);
  expect(await json(EXIT_CODES.success, 'verify', '--archive-lag', '0s')).toMatchObject({
    equal: true,
    events: DEVICES * REPORTS,
    archive: { eventsFound: DEVICES * REPORTS, missing: 0 },
  });
}, 120_000);
