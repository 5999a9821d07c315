import { expect, test } from 'vitest';
import { openTroublesOf, troublesOf } from '../../src/model/trouble.ts';

const counts = { events: 10, duplicates: 0, late: 0, gaps: 0 };

test('a device that went offline without a word is in trouble, one that said so is not', () => {
  expect(troublesOf({ status: 'connected', liveness: 'offline', counts })).toHaveLength(1);
  expect(troublesOf({ status: 'unknown', liveness: 'offline', counts })).toHaveLength(1);
  expect(troublesOf({ status: 'disconnected', liveness: 'offline', counts })).toEqual([]);
  expect(troublesOf({ status: 'connected', liveness: 'stale', counts })).toEqual([]);
});

test('missing events are trouble, and are counted in words', () => {
  const device = { status: 'connected', liveness: 'online' } as const;
  expect(troublesOf({ ...device, counts: { ...counts, gaps: 1 } })).toEqual(['1 event has never arrived']);
  expect(troublesOf({ ...device, counts: { ...counts, gaps: 7 } })).toEqual(['7 events have never arrived']);
});

test('what is acknowledged, or has aged out, needs nobody any more', () => {
  const device = { status: 'connected', liveness: 'offline', counts: { ...counts, gaps: 2 } } as const;
  expect(openTroublesOf(device)).toEqual(['silent', 'gaps']);
  expect(openTroublesOf({ ...device, acknowledged: ['gaps'] })).toEqual(['silent']);
  expect(troublesOf({ ...device, acknowledged: ['gaps'] })[1]).toBe(
    '2 events have never arrived, acknowledged',
  );
  expect(openTroublesOf({ ...device, gapsAgedOut: true })).toEqual(['silent']);
});
