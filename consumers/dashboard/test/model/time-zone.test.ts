import { expect, test } from 'vitest';
import {
  clockText,
  exactMomentText,
  knownZones,
  momentText,
  resolveZone,
} from '../../src/model/time-zone.ts';

const MOMENT = Date.UTC(2026, 6, 1, 22, 30, 5, 7);

test('the same moment reads differently in two zones', () => {
  expect(momentText(MOMENT, 'UTC')).toBe('2026-07-01 22:30:05');
  expect(momentText(MOMENT, 'Europe/Berlin')).toBe('2026-07-02 00:30:05');
  expect(clockText(MOMENT, 'Asia/Kolkata')).toBe('04:00:05');
});

test('milliseconds keep their leading zeros', () => {
  expect(exactMomentText(MOMENT, 'UTC')).toBe('2026-07-01 22:30:05.007');
});

test('a zone that does not exist is told apart from one that does', () => {
  expect(resolveZone('Mars/Olympus')).toBeUndefined();
  expect(resolveZone('Europe/Berlin')).toBe('Europe/Berlin');
  expect(resolveZone('local')).toBe(new Intl.DateTimeFormat().resolvedOptions().timeZone);
});

test('every zone that is offered can be shown', () => {
  expect(knownZones().length).toBeGreaterThan(300);
  expect(knownZones().every((zone) => resolveZone(zone) !== undefined)).toBe(true);
});
