import type { DeviceState } from '@twinstream/device-model';
import { SHARDS } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { contradiction, countsDuplicatesAs } from '../../../src/replay/repair/live-evidence.ts';
import { type ChainEvent, chainOf, plainChain } from './chains.ts';

const { state: LIVE } = plainChain(4);
const received = (...counters: readonly number[]): DeviceState =>
  chainOf(...counters.map((counter): ChainEvent => [SHARDS[0], counter])).state;
const WRONG_ORDER = 'what the source has, in its own order, does not lead to the state of the device';

describe('what a live state knows', () => {
  test('agrees with the chain that it is of, and with one that goes on', () => {
    expect(contradiction(LIVE, { end: LIVE, atLivePage: LIVE })).toBeUndefined();
    expect(contradiction(LIVE, { end: plainChain(6).state, atLivePage: LIVE })).toBeUndefined();
  });

  test.each([
    ['the first', [2, 3, 4], '1.1'],
    ['one in the middle', [1, 2, 4], '1.3'],
    ['the last', [1, 2, 3], '1.4'],
    ['the last two', [1, 2], '1.3'],
    ['all', [], '1.1'],
  ])('names an event that was accepted and that a chain lacks: %s', (_, counters, lacking) => {
    const end = received(...counters);
    expect(contradiction(LIVE, { end })).toBe(`the source lacks event ${lacking}, which was accepted`);
  });

  test('names an event of the second range that a chain lacks', () => {
    const live = received(1, 2, 5, 6);
    expect(contradiction(live, { end: received(1, 2, 6) })).toContain('event 1.5,');
    expect(contradiction(live, { end: received(1, 2, 5, 7) })).toContain('event 1.6,');
    expect(contradiction(live, { end: received(1, 2, 3, 4, 5, 6, 7) })).toBeUndefined();
  });

  test.each([
    ['position', { position: { ...(LIVE.position ?? {}), subSequenceNumber: 7 } }],
    ['newest event', { current: { session: 1, counter: 9 } }],
    ['uncounted events', { ordinal: 3 }],
    ['number of events', { counts: { ...LIVE.counts, events: 9 } }],
    ['number of late events', { counts: { ...LIVE.counts, late: 9 } }],
    ['number of gaps', { counts: { ...LIVE.counts, gaps: 9 } }],
  ] as [string, Partial<DeviceState>][])('is not led to by another %s', (_, change) => {
    const atLivePage = { ...LIVE, ...change };
    expect(contradiction(LIVE, { end: LIVE, atLivePage })).toBe(WRONG_ORDER);
    // Where a boundary of restored neighbours lies at its page, there is nothing to compare with.
    expect(contradiction(LIVE, { end: LIVE })).toBeUndefined();
  });

  test('says nothing of attributes: those of the item may be what is wrong', () => {
    expect(
      contradiction({ ...LIVE, attributes: new Map() }, { end: LIVE, atLivePage: LIVE }),
    ).toBeUndefined();
  });

  test('tells whether a chain has dropped as many duplicates, where its page is known', () => {
    const other = { ...LIVE, counts: { ...LIVE.counts, duplicates: 1 } };
    expect(countsDuplicatesAs(LIVE, { end: LIVE, atLivePage: LIVE })).toBe(true);
    expect(countsDuplicatesAs(other, { end: LIVE, atLivePage: LIVE })).toBe(false);
    expect(countsDuplicatesAs(other, { end: LIVE })).toBe(true);
  });
});
