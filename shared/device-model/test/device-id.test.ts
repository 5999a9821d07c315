import { deviceId, isDeviceId } from '@twinstream/device-model';
import { expect, test } from 'vitest';

test('a device id is given back as it is, and anything else is a RangeError that does not repeat all of it', () => {
  expect(deviceId('bus:26.19_a-b')).toBe('bus:26.19_a-b');
  expect(isDeviceId('x'.repeat(128))).toBe(true);
  expect(() => deviceId('é')).toThrow(RangeError);
  expect(() => deviceId('x'.repeat(10_000))).toThrow(/^.{0,200}$/);
});
