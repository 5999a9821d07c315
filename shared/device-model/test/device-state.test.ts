import { labelsOf, newDevice, presentAttributes, type VersionedValue } from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';
import { DEVICE } from './device-chain.ts';

const version = { session: 1, counter: 1, ordinal: 0, revision: 0 };
const withValues = (values: Record<string, VersionedValue['value']>) => ({
  attributes: new Map<string, VersionedValue>(
    Object.entries(values).map(([name, value]) => [
      name,
      value === undefined ? { version } : { value, version },
    ]),
  ),
});

describe('a device state', () => {
  test('begins with nothing', () => {
    expect(newDevice(DEVICE)).toMatchObject({
      page: 0,
      status: { value: 'unknown' },
      counts: { events: 0, duplicates: 0, late: 0, gaps: 0 },
    });
    expect(presentAttributes(newDevice(DEVICE)).size).toBe(0);
  });

  test('labels are texts, numbers and booleans of the attributes that bear their names', () => {
    expect(labelsOf(withValues({ site: 'depot 7', type: 4, firmware: false, color: 'red' }))).toEqual({
      site: 'depot 7',
      type: '4',
      firmware: 'false',
    });
  });

  test('what is removed, empty or an object is no label', () => {
    expect(labelsOf(withValues({ site: undefined, type: '', firmware: { major: 1 } }))).toEqual({});
  });

  test('a removed attribute is not present, though its tombstone stays', () => {
    expect([...presentAttributes(withValues({ speed: 0, gone: undefined, flag: false }))]).toEqual([
      ['speed', 0],
      ['flag', false],
    ]);
  });
});
