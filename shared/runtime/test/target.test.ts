import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Environment } from '../src/configuration.ts';
import {
  chooseTarget,
  enterTarget,
  type ServiceName,
  type TargetName,
  withoutAwsSettings,
} from '../src/target.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'twinstream-target-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const PIPELINE = {
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_ENDPOINT_URL_KINESIS: 'http://127.0.0.1:1',
  AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:2',
  TWINSTREAM_STREAM: 'device-events',
};
/** What a shell holds that is used with AWS. */
const REAL = {
  AWS_PROFILE: 'production',
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'AKIA',
  AWS_SECRET_ACCESS_KEY: 'real',
  AWS_SESSION_TOKEN: 'token',
};

function writeFile(variables: Environment = PIPELINE): void {
  mkdirSync(join(root, '.twinstream'));
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${value}\n`);
  writeFileSync(join(root, '.twinstream', 'local.env'), lines.join(''));
}

function choose(
  environment: Environment,
  { asked, services = ['kinesis', 'dynamodb'] }: { asked?: TargetName; services?: ServiceName[] } = {},
) {
  return chooseTarget({ cwd: root, environment, services, asked });
}

function refusal(environment: Environment, asked?: TargetName): { code: string; message: string } {
  try {
    choose(environment, asked === undefined ? {} : { asked });
  } catch (error) {
    if (error instanceof Error && 'code' in error)
      return { code: String(error.code), message: error.message };
  }
  throw new Error('nothing was refused');
}

describe('without a pipeline', () => {
  test.each([
    { AWS_PROFILE: 'production' },
    { AWS_REGION: 'eu-west-1' },
    { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'real' },
    { AWS_ROLE_ARN: 'arn:aws:iam::1:role/x' },
    { AWS_ENDPOINT_URL: 'https://vpce-1.kinesis.eu-west-1.vpce.amazonaws.com' },
    { AWS_ENDPOINT_URL_KINESIS: 'https://vpce-1.kinesis.eu-west-1.vpce.amazonaws.com' },
    { AWS_ENDPOINT_URL: 'not a URL' },
  ])('AWS is never chosen by itself: %j', (environment: Environment) => {
    const { code, message } = refusal(environment);
    expect(code).toBe('TARGET_REQUIRED');
    expect(message).toContain(Object.keys(environment)[0]);
    expect(message).toContain('--target aws');
    expect(message).not.toContain('real');
  });

  test('what points at AWS is named, in the order of names', () => {
    expect(refusal({ AWS_REGION: 'eu-west-1', AWS_PROFILE: 'production', PATH: '/bin' }).message).toContain(
      'AWS_PROFILE, AWS_REGION are set:',
    );
    expect(refusal({ AWS_REGION: 'eu-west-1' }).message).toContain('. AWS_REGION is set:');
  });

  test('and without a region the first line names both', () => {
    const { code, message } = refusal({ PATH: '/bin', AWS_REGION: '' });
    expect(code).toBe('NO_PIPELINE');
    expect(message.split('\n')[0]).toBe(
      'No pipeline found: no .twinstream/local.env here or above, and AWS_REGION is not set.',
    );
  });

  test('a local one that is asked for is not replaced by AWS', () => {
    expect(refusal(REAL, 'local').code).toBe('NO_PIPELINE');
  });

  test('AWS is what was asked for, with the environment as it is', () => {
    expect(choose(REAL, { asked: 'aws' })).toEqual({ name: 'aws', environment: REAL });
  });

  test('endpoints of which one is not on this machine are AWS', () => {
    const { AWS_ENDPOINT_URL_DYNAMODB: _, ...partial } = PIPELINE;
    expect(refusal(partial).code).toBe('TARGET_REQUIRED');
    expect(refusal({ ...PIPELINE, AWS_ENDPOINT_URL_DYNAMODB: 'http://10.0.0.1:2' }).code).toBe(
      'TARGET_REQUIRED',
    );
    expect(choose(partial, { services: ['kinesis'] }).name).toBe('local');
  });

  test('endpoints on this machine are a pipeline, without the profile that the SDK would prefer to the keys', () => {
    const environment = {
      PATH: '/bin',
      ...PIPELINE,
      AWS_PROFILE: 'production',
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true',
    };
    expect(choose(environment)).toEqual({ name: 'local', environment: { PATH: '/bin', ...PIPELINE } });
  });

  test.each([
    ['127.0.0.1', true],
    ['127.255.100.10', true],
    ['[::1]', true],
    ['localhost', true],
    ['LOCALHOST', true],
    ['my-s3.host2.localhost', true],
    ['128.0.0.1', false],
    ['10.127.0.0', false],
    ['notlocalhost', false],
    ['x_y.localhost', false],
    ['localhost.example.com', false],
    ['127.0.0.1.example.com', false],
  ])('%s is on this machine: %s', (host, isLocal) => {
    const environment = { AWS_ENDPOINT_URL: `http://${host}:4566` };
    if (isLocal) expect(choose(environment)).toEqual({ name: 'local', environment });
    else expect(refusal(environment).code).toBe('TARGET_REQUIRED');
  });

  test('a profile is kept where it alone has credentials', () => {
    const environment = { AWS_ENDPOINT_URL: 'http://localhost:4566', AWS_PROFILE: 'emulator' };
    expect(choose(environment)).toEqual({ name: 'local', environment });
  });
});

describe('beside a pipeline', () => {
  test('no profile, credentials or region of the shell counts', () => {
    writeFile();
    expect(choose({ PATH: '/bin', ...REAL })).toEqual({
      name: 'local',
      environment: { PATH: '/bin', ...PIPELINE },
    });
  });

  test('names of the shell win, unless they are empty', () => {
    writeFile({ ...PIPELINE, TWINSTREAM_EVENTS_TABLE: 'events' });
    const { environment } = choose({ TWINSTREAM_STREAM: 'other', TWINSTREAM_EVENTS_TABLE: '' });
    expect(environment).toMatchObject({ TWINSTREAM_STREAM: 'other', TWINSTREAM_EVENTS_TABLE: 'events' });
  });

  test('endpoints on this machine that the shell names win, others do not', () => {
    writeFile();
    const proxied = choose({ AWS_ENDPOINT_URL_KINESIS: 'http://127.0.0.1:9' }).environment;
    expect(proxied).toEqual({ ...PIPELINE, AWS_ENDPOINT_URL_KINESIS: 'http://127.0.0.1:9' });
    const all = choose({ AWS_ENDPOINT_URL: 'http://127.0.0.1:9' }).environment;
    expect(all).not.toHaveProperty('AWS_ENDPOINT_URL_KINESIS');
    expect(all.AWS_ENDPOINT_URL).toBe('http://127.0.0.1:9');
    expect(choose({ AWS_ENDPOINT_URL_KINESIS: 'https://example.com' }).environment).toEqual(PIPELINE);
  });

  test('a file that names an endpoint elsewhere is no local pipeline', () => {
    writeFile({ ...PIPELINE, AWS_ENDPOINT_URL_DYNAMODB: 'https://dynamodb.eu-west-1.amazonaws.com' });
    expect(refusal({ PATH: '/bin' }).code).toBe('NO_PIPELINE');
  });

  test('AWS can be named, and the file is left aside', () => {
    writeFile();
    expect(choose(REAL, { asked: 'aws' })).toEqual({ name: 'aws', environment: REAL });
  });
});

test('a process enters a target as a whole', () => {
  const processEnvironment: Record<string, string | undefined> = { AWS_PROFILE: 'production', PATH: '/bin' };
  enterTarget({ name: 'local', environment: { PATH: '/bin', AWS_REGION: 'x' } }, processEnvironment);
  expect(processEnvironment).toEqual({ PATH: '/bin', AWS_REGION: 'x' });
});

test('a process that is where it should be stays as it is', () => {
  const processEnvironment = { AWS_PROFILE: 'production', PATH: '/bin' };
  enterTarget({ name: 'aws', environment: processEnvironment }, processEnvironment);
  expect(processEnvironment).toEqual({ AWS_PROFILE: 'production', PATH: '/bin' });
});

test('an environment without AWS settings and profile keeps everything else', () => {
  expect(withoutAwsSettings({ ...REAL, TWINSTREAM_PROFILE: 'lab', PATH: '/bin' })).toEqual({ PATH: '/bin' });
});
