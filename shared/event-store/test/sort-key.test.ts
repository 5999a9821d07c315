import { describe, expect, it } from 'vitest';
import {
  ARRIVAL_TIME_MAX,
  isPageSortKey,
  PAGE_KEY_MAX,
  PAGE_KEY_MIN,
  PAGE_NUMBER_MAX,
  pageSortKey,
  pageSortKeysBelow,
  readPageSortKey,
  snapshotSortKey,
  snapshotSortKeysThrough,
} from '../src/sort-key.ts';

describe('keys of pages', () => {
  it('have a fixed form', () => {
    expect(pageSortKey({ arrivalMaxBefore: 1_490_072_431_000, page: 17 })).toBe(
      'EVENT#1490072431000#000000000017',
    );
    expect(pageSortKey({ arrivalMaxBefore: 0, page: 1 })).toBe('EVENT#0000000000000#000000000001');
  });

  it('read back as what they were made of', () => {
    const key = { arrivalMaxBefore: ARRIVAL_TIME_MAX, page: PAGE_NUMBER_MAX };
    expect(readPageSortKey(pageSortKey(key))).toEqual(key);
  });

  it('sort by arrival, then by number', () => {
    const keys = [
      [0, 1],
      [9, 2],
      [9, 10],
      [10, 11],
      [1_490_072_431_000, 3],
    ].map(([arrivalMaxBefore = 0, page = 0]) => pageSortKey({ arrivalMaxBefore, page }));
    expect([...keys].reverse().sort()).toEqual(keys);
    for (const key of keys) {
      expect(key > PAGE_KEY_MIN && key < PAGE_KEY_MAX).toBe(true);
      expect(isPageSortKey(key)).toBe(true);
    }
  });

  it.each([-1, 1.5, Number.NaN, ARRIVAL_TIME_MAX + 1])('refuse the arrival %d', (arrivalMaxBefore) => {
    expect(() => pageSortKey({ arrivalMaxBefore, page: 1 })).toThrow(RangeError);
  });

  it('are told from other keys', () => {
    expect(() => readPageSortKey('SNAPSHOT#000001#0000000000001#000000000001')).toThrow(
      'is not the key of a page',
    );
  });

  it('lie on the right side of a bound, which may be any number', () => {
    const key = pageSortKey({ arrivalMaxBefore: 100, page: 7 });
    expect(key < pageSortKeysBelow(100)).toBe(false);
    expect(key < pageSortKeysBelow(100.5)).toBe(true);
    expect(key < pageSortKeysBelow(101)).toBe(true);
    expect(key < pageSortKeysBelow(Number.POSITIVE_INFINITY)).toBe(true);
    expect(key < pageSortKeysBelow(-5)).toBe(false);
  });
});

describe('keys of snapshots', () => {
  it('have a fixed form, below which all pages sort', () => {
    const key = snapshotSortKey(1, 1_490_072_431_000, 100);
    expect(key).toBe('SNAPSHOT#000001#1490072431000#000000000100');
    expect(key > PAGE_KEY_MAX).toBe(true);
  });

  it('keep fold versions apart, in their order', () => {
    expect(snapshotSortKey(2, ARRIVAL_TIME_MAX, 1) < snapshotSortKey(10, 0, 1)).toBe(true);
    expect(snapshotSortKey(2, ARRIVAL_TIME_MAX, 1) > snapshotSortKeysThrough(1)).toBe(true);
  });

  it('lie at or before an arrival, whatever their page', () => {
    const key = snapshotSortKey(1, 100, PAGE_NUMBER_MAX);
    expect(key <= snapshotSortKeysThrough(1, 100)).toBe(true);
    expect(key <= snapshotSortKeysThrough(1, 99.9)).toBe(false);
    expect(key <= snapshotSortKeysThrough(1, -1)).toBe(false);
    expect(key <= snapshotSortKeysThrough(1, Number.POSITIVE_INFINITY)).toBe(true);
  });
});
