import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Environment } from '../src/configuration.ts';
import { chooseProfile, profileFilePath } from '../src/profile.ts';
import { chooseTarget, type ServiceName, type TargetName } from '../src/target.ts';

const LAB = {
  endpoint: 'http://127.0.0.1:4566',
  endpoints: { kinesis: 'http://127.0.0.1:4567' },
  stream: 'lab-events',
};
const PRODUCTION = { region: 'eu-west-1', awsProfile: 'operator', stream: 'prod-events' };
const SERVICES: readonly ServiceName[] = ['kinesis', 'dynamodb'];

let root: string;
let path: string;
let environment: Environment;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'twinstream-profile-'));
  mkdirSync(join(root, 'twinstream'));
  path = join(root, 'twinstream', 'config.json');
  environment = { XDG_CONFIG_HOME: root, PATH: '/bin' };
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function writeConfig(document: unknown): void {
  writeFileSync(path, typeof document === 'string' ? document : JSON.stringify(document));
}

function target(own: Environment, { name, asked }: { name?: string; asked?: TargetName } = {}) {
  const all = { ...environment, ...own };
  return chooseTarget({
    cwd: root,
    environment: all,
    services: SERVICES,
    asked,
    profile: chooseProfile(all, name),
  });
}

function faultOf(act: () => unknown): { readonly code: unknown; readonly message: string } {
  try {
    act();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
}

test('the file stands below XDG_CONFIG_HOME, or below .config of the home directory', () => {
  expect(profileFilePath({ XDG_CONFIG_HOME: '/x', HOME: '/home/me' })).toBe('/x/twinstream/config.json');
  expect(profileFilePath({ XDG_CONFIG_HOME: '', HOME: '/home/me' })).toBe(
    '/home/me/.config/twinstream/config.json',
  );
  expect(profileFilePath({})).toBeUndefined();
});

describe('the profile', () => {
  test('is that of the flag, then of the variable, then of the file; without them there is none', () => {
    expect(chooseProfile(environment)).toBeUndefined();
    writeConfig({ profiles: { a: {}, b: {}, c: {} } });
    expect(chooseProfile(environment)).toBeUndefined();
    writeConfig({ defaultProfile: 'c', profiles: { a: {}, b: {}, c: {} } });
    expect(chooseProfile(environment)?.name).toBe('c');
    expect(chooseProfile({ ...environment, TWINSTREAM_PROFILE: 'b' })?.name).toBe('b');
    expect(chooseProfile({ ...environment, TWINSTREAM_PROFILE: 'b' }, 'a')?.name).toBe('a');
  });

  test('that is not there is refused with its name, the file and the profiles of it', () => {
    expect(faultOf(() => chooseProfile(environment, 'lab'))).toEqual({
      code: 'INVALID_PROFILE',
      message: `profile "lab": there is no file ${path}`,
    });
    writeConfig({ profiles: { lab: LAB, production: PRODUCTION } });
    for (const name of ['lap', 'toString']) {
      expect(faultOf(() => chooseProfile(environment, name))).toEqual({
        code: 'INVALID_PROFILE',
        message: `there is no profile "${name}" in ${path}; profiles: lab, production`,
      });
    }
  });

  test.each([
    ['{', /config\.json is not JSON/],
    [{ profiles: { lab: { endpoint: 'ftp://x' } } }, /profiles\.lab\.endpoint: a URL of http or https/],
    [{ profiles: { lab: { target: 'aws' } } }, /config\.json has faults\n {2}profiles\.lab: .*target/],
    [{ profiles: { lab: { stream: '' } } }, /profiles\.lab\.stream: a name/],
  ])('of a file with a fault is refused, and the fault named: %j', (document, message) => {
    writeConfig(document);
    const fault = faultOf(() => chooseProfile(environment, 'lab'));
    expect(fault.code).toBe('INVALID_PROFILE');
    expect(fault.message).toMatch(message);
    expect(fault.message).toContain(path);
  });
});

describe('a command with a profile', () => {
  beforeEach(() => writeConfig({ profiles: { lab: LAB, production: PRODUCTION } }));

  test('works on its endpoints and names, with credentials that this machine does not check', () => {
    expect(target({}, { name: 'lab' })).toEqual({
      name: 'local',
      environment: {
        XDG_CONFIG_HOME: root,
        PATH: '/bin',
        AWS_ENDPOINT_URL: LAB.endpoint,
        AWS_ENDPOINT_URL_KINESIS: LAB.endpoints.kinesis,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
        TWINSTREAM_STREAM: LAB.stream,
      },
    });
  });

  test('takes nothing of the local pipeline of its folder', () => {
    mkdirSync(join(root, '.twinstream'));
    writeFileSync(
      join(root, '.twinstream', 'local.env'),
      'export AWS_ENDPOINT_URL=http://127.0.0.1:1\nexport TWINSTREAM_EVENTS_TABLE=local\n',
    );
    const { environment: entered } = target({}, { name: 'lab' });
    expect(entered).toMatchObject({ AWS_ENDPOINT_URL: LAB.endpoint });
    expect(entered).not.toHaveProperty('TWINSTREAM_EVENTS_TABLE');
  });

  test('takes what the environment says before what the profile says', () => {
    const { environment: entered } = target(
      { TWINSTREAM_STREAM: 'other', AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_REGION: 'eu-north-1' },
      { name: 'lab' },
    );
    expect(entered).toMatchObject({
      TWINSTREAM_STREAM: 'other',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_REGION: 'eu-north-1',
    });
    // The SDK would prefer the profile's endpoint of Kinesis to the one for all.
    expect(entered).not.toHaveProperty('AWS_ENDPOINT_URL_KINESIS');
  });

  test('never goes to AWS by itself, and says which profile of which file does not lead to this machine', () => {
    const { code, message } = faultOf(() => target({}, { name: 'production' }));
    expect(code).toBe('TARGET_REQUIRED');
    expect(message).toContain(`Profile production of ${path} names no endpoints of this machine`);
    expect(message).toContain('--target aws');
  });

  test('goes to AWS where that is asked for, with region, credentials and names of the profile', () => {
    expect(target({}, { name: 'production', asked: 'aws' })).toEqual({
      name: 'aws',
      environment: {
        ...environment,
        AWS_REGION: 'eu-west-1',
        AWS_PROFILE: 'operator',
        TWINSTREAM_STREAM: 'prod-events',
      },
    });
    // The SDK would prefer a profile to keys of the environment, which win here.
    const keys = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'real' };
    expect(target(keys, { name: 'production', asked: 'aws' }).environment).not.toHaveProperty('AWS_PROFILE');
  });
});
