import { expect, test } from 'vitest';
import { densityOf, neighbourTime, windowSpanMs } from '../../src/model/time-window.ts';

test('every event of the span is counted once', () => {
  expect(densityOf([0, 1, 49, 50, 99, 100], 0, 100, 2)).toEqual([3, 3]);
});

test('events outside the span, and spans of no length, count nothing', () => {
  expect(densityOf([-1, 101, 250], 0, 100, 2)).toEqual([0, 0]);
  expect(densityOf([5], 5, 5, 2)).toEqual([0, 0]);
});

test('steps go from event to event', () => {
  const times = [10, 20, 30];
  expect(neighbourTime(times, 20, 1)).toBe(30);
  expect(neighbourTime(times, 20, -1)).toBe(10);
  expect(neighbourTime(times, 25, -1)).toBe(20);
  expect(neighbourTime(times, Number.POSITIVE_INFINITY, -1)).toBe(30);
});

test('a step beyond the last event leads to no moment, one beyond the first to the first', () => {
  expect(neighbourTime([10, 20, 30], 30, 1)).toBeUndefined();
  expect(neighbourTime([10, 20, 30], 30, -10)).toBe(10);
  expect(neighbourTime([10, 20, 30], 10, -1)).toBeUndefined();
});

test('a window has the span of its name', () => {
  expect(windowSpanMs('6h')).toBe(21_600_000);
  expect(windowSpanMs('newest')).toBeUndefined();
});
