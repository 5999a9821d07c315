import { devicePathSegment } from '@twinstream/device-model';
import { expect, test } from 'vitest';
import { devicePath } from '../../src/api/query-api.ts';

test.each(['.', '..', '...', 'bus-1', 'a:b', '.a', 'plant 1/~é'])(
  'the path of the device %s is the one that the API reads',
  (id) => {
    expect(devicePath(id)).toBe(`v1/devices/${devicePathSegment(id)}`);
  },
);
