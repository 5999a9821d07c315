import {
  type EventKey,
  findCopy,
  isWindowKnown,
  type KeyedChain,
  type KeyTrace,
  keyMember,
  keyOf,
  PAGE_LIMITS,
  planPage,
  type RecentKeys,
  tracesFor,
  withRecent,
} from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';
import { A, arrived, B, openChain, uncounted } from './device-chain.ts';

const KEY = 'AbCd-_0123456789';
const textWith = (source: object, data: object = {}, more: object = {}) =>
  JSON.stringify({
    ...{ v: 1, deviceId: 'd', type: 'reported', time: '2026-12-01T00:00:00Z' },
    ...{ mapping: { name: 'm', version: 1 }, ...source, data, ...more },
  });

describe('the key in the text of an event', () => {
  test.each<EventKey>([
    { key: KEY, eventsMax: 64 },
    { key: KEY, eventsMax: 512 },
    { key: KEY, eventsMax: 1, withinMs: 604_800_000 },
  ])('is what a mapping has put there: %j', (key) => {
    expect(keyOf(textWith({ source: keyMember(key) }))).toEqual(key);
  });

  test('says nothing of a window that is the default', () => {
    expect(textWith({ source: keyMember({ key: KEY, eventsMax: 64 }) })).toContain(
      `"source":{"key":"${KEY}"},"data":`,
    );
  });

  const inside = { a: { b: 1 }, source: { key: KEY }, data: {} };
  test.each([
    ['without one', textWith({})],
    ['with a counter of its source', textWith({ source: { counter: 5 } })],
    ['that has such a member in its data', textWith({}, inside)],
    ['that has it in data before the rest', JSON.stringify({ data: inside, v: 1 })],
    ['that has it behind its data', textWith({}, { a: { b: 1 } }, { c: {}, source: { key: KEY } })],
    ['whose key has another length', textWith({ source: { key: `${KEY}x` } })],
    ['whose member says something else', textWith({ source: { key: KEY, other: 1 } })],
    ['that says it as a text', textWith({}, { text: textWith({ source: { key: KEY } }) })],
  ])('is none in an event %s', (_, text) => {
    expect(keyOf(text)).toBeUndefined();
  });
});

const trace = (arrivalTime: number, key?: string, isLate = false): KeyTrace => ({ arrivalTime, key, isLate });
const chain = (before: readonly KeyTrace[], rest: Partial<KeyedChain> = {}): KeyedChain => ({
  ...{ before, after: [], arrivalMaxBefore: 0 },
  ...rest,
});
const others = (...arrivals: readonly number[]) => arrivals.map((arrivalTime) => trace(arrivalTime));
const WINDOW = { key: 'k', eventsMax: 3 };

describe('a copy', () => {
  test('is an event of the same key among the last of the window', () => {
    expect(findCopy(WINDOW, 9, chain([trace(1, 'k'), ...others(2, 3)]))).toBe('copy');
    expect(findCopy(WINDOW, 9, chain([trace(1, 'k'), ...others(2, 3, 4)]))).toBe('none');
    expect(findCopy(WINDOW, 9, chain([trace(1, 'j'), ...others(2)]))).toBe('none');
  });

  test('has arrived within the time of the window, before or after', () => {
    const timed = { ...WINDOW, withinMs: 5 };
    for (const [arrivalTime, found] of [
      [4, 'none'],
      [5, 'copy'],
      [15, 'copy'],
      [16, 'none'],
    ] as const)
      expect(findCopy(timed, 10, chain([trace(arrivalTime, 'k')]))).toBe(found);
  });

  test('is found behind any number of events of a shard that has come less far', () => {
    const lagging = others(10, 20, 30, 40, 50);
    expect(findCopy(WINDOW, 101, chain([trace(100, 'k'), ...lagging]))).toBe('copy');
    expect(findCopy(WINDOW, 99, chain([trace(100, 'k'), ...lagging]))).toBe('copy');
    expect(findCopy(WINDOW, 101, chain([trace(45, 'k'), ...lagging, ...others(60, 70)]))).toBe('none');
    expect(findCopy(WINDOW, 40, chain([trace(100, 'k'), ...lagging, ...others(60, 70)]))).toBe('none');
  });

  test('of equal arrivals is as far away as the chain says', () => {
    expect(findCopy(WINDOW, 10, chain([trace(10, 'k'), ...others(10, 10, 10)]))).toBe('none');
    expect(findCopy(WINDOW, 10, chain([...others(10, 10), trace(10, 'k'), ...others(10, 9, 9)]))).toBe(
      'copy',
    );
  });

  test('is no farther away for events that came late themselves', () => {
    const late = [2, 3, 4, 5].map((arrivalTime) => trace(arrivalTime, undefined, true));
    expect(findCopy(WINDOW, 9, chain([trace(1, 'k'), ...late]))).toBe('copy');
  });

  test('may have been accepted after the place of what was given up, near it', () => {
    const passed = chain(others(1, 2), { after: [...others(11, 12), trace(13, 'k')] });
    expect(findCopy(WINDOW, 10, passed)).toBe('copy');
    const far = chain(others(1, 2), { after: [...others(11, 12, 13), trace(14, 'k')] });
    expect(findCopy(WINDOW, 10, far)).toBe('none');
    // What was appended at the end of the chain has arrived when it did.
    const redriven = chain(others(1, 8), { after: [...others(11, 12, 13, 14), trace(9, 'k', true)] });
    expect(findCopy(WINDOW, 10, redriven)).toBe('copy');
    const before = chain([trace(1), trace(7), trace(8)], { after: [trace(9), trace(2, 'k', true)] });
    expect(findCopy(WINDOW, 10, before)).toBe('none');
  });
});

describe('what is not read of a chain', () => {
  test('may hold a copy until the window is full of events that arrived since', () => {
    const partly = { arrivalMaxBefore: 5 };
    expect(findCopy(WINDOW, 20, chain(others(6, 7), partly))).toBe('unknown');
    expect(findCopy(WINDOW, 20, chain(others(5, 6, 7), partly))).toBe('none');
    expect(findCopy(WINDOW, 20, chain(others(4, 6, 7), partly))).toBe('unknown');
    expect(findCopy(WINDOW, 20, chain([...others(6, 7), trace(8, undefined, true)], partly))).toBe('unknown');
    expect(findCopy(WINDOW, 7, chain(others(6, 7, 8), partly))).toBe('unknown');
    expect(findCopy(WINDOW, 4, chain(others(6, 7, 8), partly))).toBe('unknown');
    expect(findCopy(WINDOW, 20, chain([trace(6, 'k')], partly))).toBe('copy');
    // How many arrived between the two is not known.
    expect(findCopy(WINDOW, 20, chain([trace(4, 'k'), ...others(1, 1, 6, 7)], partly))).toBe('unknown');
    expect(findCopy(WINDOW, 20, chain(others(6), { ...partly, after: [trace(4, 'k')] }))).toBe('unknown');
  });

  test('holds none where it arrived before the time of the window', () => {
    const timed = { ...WINDOW, withinMs: 10 };
    expect(isWindowKnown(timed, 20, chain([], { arrivalMaxBefore: 10 }))).toBe(false);
    expect(isWindowKnown(timed, 20, chain([], { arrivalMaxBefore: 9 }))).toBe(true);
    expect(isWindowKnown(WINDOW, 20, chain([]))).toBe(true);
  });
});

/** An event with a key, the n-th of its shard. */
const keyed = (n: number, key: string, eventsMax = 3) => {
  const event = uncounted({ data: { n } });
  const { v, deviceId, type, time, data } = event;
  const named = keyMember({ key: key.padEnd(16, '_'), eventsMax });
  const text = JSON.stringify({
    v,
    deviceId,
    type,
    time,
    mapping: { name: 'm', version: 1 },
    source: named,
    data,
  });
  return { ...arrived(n, event), text };
};

describe('a device whose events have keys', () => {
  test('stores one of two copies of a batch, and counts the other', () => {
    const { deliver, state, pages } = openChain();
    expect(deliver(A, [keyed(1, 'a'), keyed(2, 'b'), keyed(3, 'a')])).toMatchObject({
      applied: 2,
      duplicate: 1,
    });
    expect(pages[0]?.events.every((stored) => !('sourceKey' in stored))).toBe(true);
    expect(state.page).toBe(0);
  });

  test('asks for the end of its chain where that is not at hand, and not where it is, or where nothing is stored', () => {
    const device = openChain();
    device.deliver(A, [keyed(1, 'a')]);
    expect(device.historyReads).toBe(0);
    expect(planPage(device.state, A, [keyed(2, 'a')])).toEqual({ kind: 'history-needed' });
    const nothing: RecentKeys = { traces: [], arrivalMaxBefore: 0, tracesMax: tracesFor(3) };
    const recent = withRecent(
      nothing,
      device.pages.flatMap(({ events }) => events),
    );
    expect(planPage(device.state, A, [keyed(2, 'a')], { recent })).toMatchObject({
      outcomes: { duplicate: 1 },
    });
    expect(planPage(device.state, B, [keyed(2, 'b')], { recent })).toMatchObject({
      outcomes: { applied: 1 },
    });
    const short = { ...recent, arrivalMaxBefore: 1 };
    expect(planPage(device.state, A, [keyed(2, 'b')], { recent: short })).toEqual({ kind: 'history-needed' });
  });

  test('asks the store for what lies below the high-water mark, page by page of its batch', () => {
    const device = openChain({ ...PAGE_LIMITS, eventsMax: 1 });
    device.deliver(A, [keyed(1, 'a'), keyed(2, 'b')]);
    const recent: RecentKeys = { traces: [], arrivalMaxBefore: 0, tracesMax: 6 };
    expect(planPage(device.state, A, [keyed(1, 'a')], { recent })).toEqual({ kind: 'history-needed' });
    expect(device.deliver(A, [keyed(1, 'a'), keyed(2, 'b')])).toMatchObject({ redelivered: 2 });
  });
});

test('the end of a chain is kept as far as it is asked for, and says when the rest arrived', () => {
  const nothing: RecentKeys = { traces: [], arrivalMaxBefore: 0, tracesMax: 2 };
  const stored = [keyed(5, 'a'), keyed(9, 'b'), keyed(7, 'c'), keyed(8, 'd')].map((event) => ({
    ...{ ...event, version: { session: -1, counter: -1, ordinal: 1, revision: 0 } },
  }));
  expect(withRecent(nothing, [])).toBe(nothing);
  const recent = withRecent(nothing, stored.slice(0, 2));
  expect(recent).toMatchObject({ traces: [{ arrivalTime: 5 }, { arrivalTime: 9 }], arrivalMaxBefore: 0 });
  expect(withRecent(recent, stored.slice(2))).toEqual({
    traces: [trace(7, 'c'.padEnd(16, '_')), trace(8, 'd'.padEnd(16, '_'))],
    ...{ arrivalMaxBefore: 9, tracesMax: 2 },
  });
});
