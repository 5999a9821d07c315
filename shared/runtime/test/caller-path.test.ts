import { expect, test } from 'vitest';
import { callerFolder, callerPath, npmBannerNote } from '../src/caller-path.ts';

const BY_NPM = { INIT_CWD: '/home/ann/data', npm_package_json: '/work/twinstream/package.json' };

test('a relative path begins where the person stands, not where package.json is', () => {
  const folder = callerFolder('/work/twinstream', BY_NPM);
  expect(callerPath('fixed.ndjson', folder)).toBe('/home/ann/data/fixed.ndjson');
  expect(callerPath('/tmp/fixed.ndjson', folder)).toBe('/tmp/fixed.ndjson');
});

test('a process that is not the script of npm itself stands in its working directory', () => {
  expect(callerFolder('/tmp/run', BY_NPM)).toBe('/tmp/run');
  expect(callerFolder('/work/twinstream', {})).toBe('/work/twinstream');
  expect(callerFolder('/work/twinstream', { ...BY_NPM, INIT_CWD: '' })).toBe('/work/twinstream');
});

test('whoever pipes npm run is told of the banner that npm has written, and nobody else', () => {
  const environment = { ...BY_NPM, npm_lifecycle_event: 'ops' };
  expect(npmBannerNote('/work/twinstream', environment, false)).toContain('bin/ops');
  expect(npmBannerNote('/work/twinstream', environment, true)).toBeUndefined();
  expect(npmBannerNote('/tmp/run', environment, false)).toBeUndefined();
  const silent = { ...environment, npm_config_loglevel: 'silent' };
  expect(npmBannerNote('/work/twinstream', silent, false)).toBeUndefined();
});
