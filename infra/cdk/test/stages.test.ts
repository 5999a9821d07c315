import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT_MAPPING_SETTINGS } from '@twinstream/pipeline-settings';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STAGES_FOLDER, stageFile, stageFileSchema } from '../src/stage-file.ts';
import { stageConfiguration } from '../src/stages.ts';

const read = (context: Record<string, unknown>) => stageConfiguration((name) => context[name]);

test('without any context it is dev, on demand, behind IAM, with nothing optional', () => {
  expect(read({})).toMatchObject({
    stage: 'dev',
    keepsData: false,
    streamCapacity: { mode: 'on-demand' },
    access: { kind: 'iam' },
    hasIotIngestion: false,
    hasStatusEvents: false,
  });
});

test('values of the command line are texts', () => {
  expect(read({ stage: 'prod', shards: '40', iot: 'true', statusEvents: 'false' })).toMatchObject({
    keepsData: true,
    streamCapacity: { mode: 'provisioned', shardCount: 40 },
    hasIotIngestion: true,
    hasStatusEvents: false,
  });
});

test('an IoT rule takes messages as they are, and for a mapping with topic and receive time beside', () => {
  expect(read({}).iotRule).toEqual({
    topicFilter: 'twinstream/+/events',
    sql: "SELECT * FROM 'twinstream/+/events'",
  });
  const { iotRule, mappingFiles } = read({ iotTopic: 'dt/+/+/telemetry', mapping: 'a.yaml, b.yaml' });
  expect(iotRule.sql).toBe("SELECT *, topic() AS topic, timestamp() AS receivedAt FROM 'dt/+/+/telemetry'");
  expect(mappingFiles).toEqual(['a.yaml', 'b.yaml']);
  expect(read({ iotSql: "SELECT temp FROM 'x'" }).iotRule.sql).toBe("SELECT temp FROM 'x'");
  expect(() => read({ iotTopic: "x' OR" })).toThrow('iotTopic: a topic filter');
});

test('all faults are reported together', () => {
  expect(() => read({ stage: 'test', shards: 'many', alarmEmail: 'nobody' })).toThrow(
    /stage: one of dev, prod[\s\S]*shards: a number of shards[\s\S]*alarmEmail: a mail address/,
  );
});

test('an issuer without an audience is refused, for any of its clients could then read', () => {
  expect(() => read({ jwtIssuer: 'https://issuer.example' })).toThrow('jwtAudience: is missing');
  expect(() => read({ jwtAudience: 'dashboard' })).toThrow('jwtIssuer: is missing');
});

test('a window that is asked for is the only thing in which a mapping differs from the project', () => {
  expect(read({ windowSeconds: '10' }).projectorMapping).toEqual({
    ...PROJECT_MAPPING_SETTINGS,
    batchingWindowMs: 10_000,
  });
  expect(read({}).projectorMapping).toEqual(PROJECT_MAPPING_SETTINGS);
  expect(() => read({ windowSeconds: '301' })).toThrow('windowSeconds: to 300');
});

describe('files of stages', () => {
  let folder: string;
  const from = (context: Record<string, unknown>) => stageFile((name) => context[name], folder);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'twinstream-stages-'));
    copyFileSync(join(STAGES_FOLDER, 'prod.example.json'), join(folder, 'prod.json'));
    writeFileSync(join(folder, 'dev.json'), '{"shards": 2}');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('give a stage its values at every deployment: none is typed, and none is forgotten', () => {
    const configuration = stageConfiguration(from({ stage: 'prod' }));
    expect(configuration).toMatchObject({
      stage: 'prod',
      streamCapacity: { mode: 'provisioned' },
      access: { kind: 'jwt' },
      alarmEmail: 'operators@example.org',
    });
  });

  test('are needed: a stage without one is refused', () => {
    expect(() => stageFile((name) => (name === 'stage' ? 'prod' : undefined))).toThrow(
      /prod has no file .*prod\.json/,
    );
  });

  test('of a stage that keeps its data cannot be overruled, of another they can', () => {
    expect(() => from({ stage: 'prod', shards: 4 })).toThrow(/shards: put into .*prod\.json/);
    expect(from({ shards: 4 })('shards')).toBe(4);
    expect(from({})('shards')).toBe(2);
  });

  test('hold nothing that is not a setting', () => {
    writeFileSync(join(folder, 'dev.json'), '{"$schema": "x", "shard": 2}');
    expect(() => from({})).toThrow('there is no shard');
  });

  test('have the schema that editors read', () => {
    const path = join(STAGES_FOLDER, 'stage.schema.json');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(JSON.parse(JSON.stringify(stageFileSchema())));
  });
});
