import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { describeAwsTarget, regionOfSdk } from '../src/aws-target.ts';

beforeEach(() => {
  for (const name of ['AWS_PROFILE', 'AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_ENDPOINT_URL']) {
    vi.stubEnv(name, undefined);
  }
  vi.stubEnv('AWS_CONFIG_FILE', '/nowhere/config');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere/credentials');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test('a target on AWS is told by region, addresses and names', async () => {
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  expect(await describeAwsTarget(['kinesis', 'dynamodb'], { stream: 'events', table: 'pages' })).toBe(
    'target: AWS, region eu-west-1, https://kinesis.eu-west-1.amazonaws.com, ' +
      'https://dynamodb.eu-west-1.amazonaws.com; stream events, table pages',
  );
});

test('an endpoint of the environment is told as it is', async () => {
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:4566');
  expect(await describeAwsTarget(['kinesis', 'lambda', 's3', 'firehose'], {})).toContain(
    'eu-west-1, http://127.0.0.1:4566;',
  );
});

test('a target without a region is refused', async () => {
  expect(await regionOfSdk()).toBeUndefined();
  await expect(describeAwsTarget(['kinesis'], {})).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
});
