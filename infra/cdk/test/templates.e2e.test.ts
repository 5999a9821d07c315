import { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import { afterAll, expect, test } from 'vitest';
import { type Context, FULL, LARGE, makeStacks, PLANNED, removeApps } from './templates.ts';

afterAll(removeApps);

/** The CDK's own rules, which refuse a synthesis. */
const VALIDATED = { builtinCloudFormationValidation: true };
const SHARDS: Context = { ...LARGE, tableBilling: 'on-demand', shards: '200' };
const STREAM =
  'arn:aws:dynamodb:us-east-1:123456789012:table/Twinstream-prod-fresh-b-device-state/stream/2026';

test.each<[string, Context]>([
  ['everything switched on', FULL],
  ['nothing switched on', {}],
  ['a workload', PLANNED],
  ['a fleet that a service answers for', LARGE],
  ['warm tables with a bound', { ...SHARDS, tableWriteUnitsMax: '150000', warmTables: 'true' }],
  ['promoted tables', { ...FULL, generation: 'b', stateStreamArn: STREAM }],
  ['a paging service', { ...FULL, pageUrl: 'https://events.example/sns' }],
  ['a start time', { startAt: '2026-11-30T10:00:00Z' }],
])('a stage with %s breaks no rule of the CDK', (_name, context) => {
  const { stacks } = makeStacks(context, VALIDATED).app.synth();
  expect(stacks.length).toBeGreaterThan(1);
});

test('the rules of the CDK do find a property that a resource does not have', () => {
  const { app, pipeline } = makeStacks({}, VALIDATED);
  const { defaultChild } = new Bucket(pipeline, 'Careless').node;
  if (!(defaultChild instanceof CfnBucket)) throw new TypeError('not a bucket');
  defaultChild.addPropertyOverride('NoSuchProperty', 'x');
  expect(() => app.synth()).toThrow();
});
