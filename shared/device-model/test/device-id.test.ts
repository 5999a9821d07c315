import { deviceId, deviceIdOfPath, devicePathSegment, isDeviceId } from '@twinstream/device-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('a device id is given back as it is, and anything else is a RangeError that does not repeat all of it', () => {
  expect(deviceId('bus:26.19_a-b')).toBe('bus:26.19_a-b');
  expect(isDeviceId('x'.repeat(256))).toBe(true);
  expect(isDeviceId('🚌'.repeat(256))).toBe(true);
  expect(isDeviceId('🚌'.repeat(257))).toBe(false);
  for (const text of ['', ' a', 'a ', 'a\n', 'a\tb', 'a\u200bb', 'a\u2028b', '\ud83d', 'a\u0000']) {
    expect(() => deviceId(text)).toThrow(RangeError);
  }
  expect(() => deviceId('x'.repeat(10_000))).toThrow(/^.{0,200}$/);
});

const REAL = [
  'Zähler 7',
  'plant 1/pump-7',
  '//',
  '~',
  '~0',
  '~1',
  '~.',
  '~~.',
  'a\\b',
  '50%',
  '%2F',
  '?#&+',
  'センサー/1',
  '🚌',
];

test.each(['.', '..', '...', '.a', 'a.', '..:', '-', 'bus:26.19_a-b', ...REAL])(
  'the path of %s comes through a URL and back to the same id',
  (id) => {
    const { pathname } = new URL(`/v1/devices/${devicePathSegment(id)}/events`, 'http://127.0.0.1/');
    const segment = decodeURIComponent(pathname.split('/')[3] ?? '');
    expect(pathname.split('/')).toHaveLength(5);
    expect(deviceIdOfPath(segment)).toBe(id);
  },
);

test('the path of every id comes through a URL and back to the same id', () => {
  const character = fc.oneof(
    fc.constantFrom('~', '/', '.', '0', '1', ' ', '%', '\\'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  );
  const id = fc
    .array(character, { minLength: 1, maxLength: 8 })
    .map((parts) => parts.join(''))
    .filter(isDeviceId);
  fc.assert(
    fc.property(id, (text) => {
      const { pathname } = new URL(`/v1/devices/${devicePathSegment(text)}/events`, 'http://127.0.0.1/');
      expect(pathname.split('/')).toHaveLength(5);
      expect(deviceIdOfPath(decodeURIComponent(pathname.split('/')[3] ?? ''))).toBe(text);
    }),
    { numRuns: 1_000 },
  );
});

test('the path of an id of plain characters is the id, percent-encoded', () => {
  expect(devicePathSegment('bus:26.19_a-b')).toBe('bus%3A26.19_a-b');
  expect(devicePathSegment('...')).toBe('...');
  expect(deviceIdOfPath('~...')).toBe('~...');
});
