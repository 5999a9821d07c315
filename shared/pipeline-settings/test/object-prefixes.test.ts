import { ARCHIVE_PREFIX, hourFolder } from '@twinstream/pipeline-settings';
import { expect, test } from 'vitest';

test('the folder of an hour is that of UTC, and text order is time order', () => {
  const hours = [
    '0007-03-01T00:00:00Z',
    '2025-12-31T23:59:59.999Z',
    '2026-01-01T00:00:00Z',
    '9999-12-31T23:00:00Z',
  ];
  const folders = hours.map((hour) => hourFolder(ARCHIVE_PREFIX, Date.parse(hour)));
  expect(folders[1]).toBe('archive/year=2025/month=12/day=31/hour=23/');
  expect(folders.toSorted()).toEqual(folders);
});

test.each([Number.NaN, Date.UTC(-1, 11, 31), Date.UTC(10_000, 0, 1)])(
  'an hour of no folder is refused: %d',
  (time) => {
    expect(() => hourFolder(ARCHIVE_PREFIX, time)).toThrow(RangeError);
  },
);
