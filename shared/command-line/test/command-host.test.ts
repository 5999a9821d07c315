import { expect, test } from 'vitest';
import { callerFolder, callerPath, npmBannerNote } from '../src/command-host.ts';

const BY_NPM = { INIT_CWD: '/home/ann/data', npm_package_json: '/srv/twinstream/package.json' };

test('a relative path begins where the person stands, not where package.json is', () => {
  const folder = callerFolder('/srv/twinstream', BY_NPM);
  expect(callerPath('fixed.ndjson', folder)).toBe('/home/ann/data/fixed.ndjson');
  expect(callerPath('/tmp/fixed.ndjson', folder)).toBe('/tmp/fixed.ndjson');
});

test('a process that is not the script of npm itself stands in its working directory', () => {
  expect(callerFolder('/tmp/run', BY_NPM)).toBe('/tmp/run');
  expect(callerFolder('/srv/twinstream', {})).toBe('/srv/twinstream');
  expect(callerFolder('/srv/twinstream', { ...BY_NPM, INIT_CWD: '' })).toBe('/srv/twinstream');
});

test('a person who pipes npm run is told of the banner that npm has written, and nobody else', () => {
  const environment = { ...BY_NPM, npm_lifecycle_script: 'exec bin/ops status' };
  expect(npmBannerNote('/srv/twinstream', environment, false)).toContain('bin/ops');
  expect(npmBannerNote('/srv/twinstream', environment, true)).toBeUndefined();
  expect(npmBannerNote('/tmp/run', environment, false)).toBeUndefined();
  // `npm start`, `npx twinstream` in a folder with a package.json, and a program that the tests of `npm test` start.
  for (const script of ['exec node start.ts', 'twinstream', 'vitest run']) {
    const other = { ...environment, npm_lifecycle_script: script };
    expect(npmBannerNote('/srv/twinstream', other, false)).toBeUndefined();
  }
  const silent = { ...environment, npm_config_loglevel: 'silent' };
  expect(npmBannerNote('/srv/twinstream', silent, false)).toBeUndefined();
});
