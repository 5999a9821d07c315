import { deviceId, deviceIdOfPath, devicePathSegment, isDeviceId } from '@twinstream/device-model';
import { expect, test } from 'vitest';

test('a device id is given back as it is, and anything else is a RangeError that does not repeat all of it', () => {
  expect(deviceId('bus:26.19_a-b')).toBe('bus:26.19_a-b');
  expect(isDeviceId('x'.repeat(128))).toBe(true);
  expect(() => deviceId('é')).toThrow(RangeError);
  expect(() => deviceId('x'.repeat(10_000))).toThrow(/^.{0,200}$/);
});

test.each(['.', '..', '...', '.a', 'a.', '..:', '-', 'bus:26.19_a-b'])(
  'the path of %s comes through a URL and back to the same id',
  (id) => {
    const { pathname } = new URL(`/v1/devices/${devicePathSegment(id)}/events`, 'http://127.0.0.1/');
    const segment = decodeURIComponent(pathname.split('/')[3] ?? '');
    expect(pathname.split('/')).toHaveLength(5);
    expect(deviceIdOfPath(segment)).toBe(id);
  },
);

test('the path of every other id is the id, percent-encoded', () => {
  expect(devicePathSegment('bus:26.19_a-b')).toBe('bus%3A26.19_a-b');
  expect(devicePathSegment('...')).toBe('...');
  expect(deviceIdOfPath('~...')).toBe('~...');
});
