import { type EventKey, keyMember, keyOf } from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';

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
