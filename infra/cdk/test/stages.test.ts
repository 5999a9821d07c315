import { PROJECT_MAPPING_SETTINGS } from '@twinstream/pipeline-settings';
import { expect, test } from 'vitest';
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

test('all faults are told at once', () => {
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
