import { describe, expect, it } from 'vitest';
import { parseEventJson, parseEventPattern } from '../../src/lambda/event-pattern.ts';

const matches = (pattern: unknown, event: unknown) =>
  parseEventPattern(JSON.stringify(pattern)).matches(parseEventJson(JSON.stringify(event)));

const EVENT = {
  city: 'Seattle',
  empty: '',
  nothing: null,
  on: true,
  temperature: 46,
  tags: ['red', 'blue'],
  order: {
    type: 'buy',
    lines: [
      { item: 'a', count: 1 },
      { item: 'b', count: 2 },
    ],
  },
};

describe('a pattern', () => {
  it.each([
    ['equals', { city: ['Seattle'] }, { city: ['seattle'] }],
    ['is one of', { city: ['Paris', 'Seattle'] }, { city: ['Paris'] }],
    ['is null, not absent', { nothing: [null] }, { absent: [null] }],
    ['is empty', { empty: [''] }, { city: [''] }],
    ['is a boolean', { on: [true] }, { on: ['true'] }],
    [
      'equals in any case',
      { city: [{ 'equals-ignore-case': 'SEATTLE' }] },
      { city: [{ 'equals-ignore-case': 'x' }] },
    ],
    ['begins with', { city: [{ prefix: 'Sea' }] }, { city: [{ prefix: 'sea' }] }],
    [
      'begins with in any case',
      { city: [{ prefix: { 'equals-ignore-case': 'sEa' } }] },
      { city: [{ prefix: { 'equals-ignore-case': 'eat' } }] },
    ],
    ['ends with', { city: [{ suffix: 'ttle' }] }, { city: [{ suffix: 'TTLE' }] }],
    ['is not', { city: [{ 'anything-but': 'Paris' }] }, { city: [{ 'anything-but': ['Paris', 'Seattle'] }] }],
    [
      'equals none of the numbers',
      { temperature: [{ 'anything-but': [45] }] },
      { temperature: [{ 'anything-but': [46] }] },
    ],
    [
      'does not begin with',
      { city: [{ 'anything-but': { prefix: 'Par' } }] },
      { city: [{ 'anything-but': { prefix: 'Sea' } }] },
    ],
    [
      'is anything but, and there',
      { city: [{ 'anything-but': 'x' }] },
      { absent: [{ 'anything-but': 'x' }] },
    ],
    ['equals a number', { temperature: [{ numeric: ['=', 46] }] }, { temperature: [{ numeric: ['=', 47] }] }],
    [
      'lies in a range',
      { temperature: [{ numeric: ['>', 45, '<=', 46] }] },
      { temperature: [{ numeric: ['>=', 40, '<', 46] }] },
    ],
    ['compares numbers alone', { temperature: [{ numeric: ['>', 0] }] }, { city: [{ numeric: ['>', 0] }] }],
    ['exists', { city: [{ exists: true }] }, { absent: [{ exists: true }] }],
    ['exists as a leaf only', { order: { type: [{ exists: true }] } }, { order: [{ exists: true }] }],
    ['does not exist', { absent: [{ exists: false }] }, { city: [{ exists: false }] }],
    [
      'does not exist below what does not',
      { absent: { more: [{ exists: false }] } },
      { order: { type: [{ exists: false }] } },
    ],
    ['has all fields', { city: ['Seattle'], on: [true] }, { city: ['Seattle'], on: [false] }],
    [
      'has one of the alternatives',
      { $or: [{ city: ['Paris'] }, { on: [true] }] },
      { $or: [{ city: ['Paris'] }, { on: [false] }] },
    ],
    ['has a field below another', { order: { type: ['buy'] } }, { order: { type: ['sell'] } }],
    ['has an element of a list', { tags: ['blue'] }, { tags: ['green'] }],
    [
      'has all fields in one element',
      { order: { lines: { item: ['b'], count: [2] } } },
      { order: { lines: { item: ['a'], count: [2] } } },
    ],
  ])('that asks whether a field %s', (_, matching, other) => {
    expect(matches(matching, EVENT)).toBe(true);
    expect(matches(other, EVENT)).toBe(false);
  });

  it('compares numbers as they are written, as the guide says, unless it compares values', () => {
    const event = parseEventJson('{"n": 3.0e2}');
    expect(parseEventPattern('{"n": [3.0e2]}').matches(event)).toBe(true);
    expect(parseEventPattern('{"n": [300]}').matches(event)).toBe(false);
    expect(parseEventPattern('{"n": [{"numeric": ["=", 300]}]}').matches(event)).toBe(true);
  });

  it('takes $or for a name where its list holds no alternatives', () => {
    expect(matches({ $or: ['x'] }, { $or: 'x' })).toBe(true);
    expect(matches({ $or: [{ prefix: 'x' }, { prefix: 'y' }] }, { $or: 'yes' })).toBe(true);
  });

  it.each([
    ['no JSON', '{', /JSON/],
    ['a list', '[]', /a pattern is a JSON object/],
    ['no field', '{}', /names no field/],
    ['no field below', '{"a": {}}', /a names no field/],
    ['a value outside of a list', '{"a": 1}', /a: must be an object, or a list/],
    ['an empty list', '{"a": {"b": []}}', /a.b: must be an object, or a list/],
    ['two operators', '{"a": [{"prefix": "x", "suffix": "y"}]}', /a: a rule has one operator/],
    ['an address range', '{"a": [{"cidr": "10.0.0.0/8"}]}', /a: cidr is not supported by the local emulator/],
    ['a wildcard', '{"a": [{"wildcard": "*"}]}', /a: wildcard is not supported/],
    ['a text for exists', '{"a": [{"exists": "yes"}]}', /a: exists takes true or false/],
    ['a number for prefix', '{"a": [{"prefix": 1}]}', /a: prefix takes text/],
    ['mixed exclusions', '{"a": [{"anything-but": ["x", 1]}]}', /a: anything-but takes/],
    ['another exclusion', '{"a": [{"anything-but": {"numeric": ["=", 1]}}]}', /a: anything-but takes/],
    ['half a comparison', '{"a": [{"numeric": [">"]}]}', /a: numeric takes one or two comparisons/],
    ['an unknown comparison', '{"a": [{"numeric": ["!", 1]}]}', /a: numeric takes comparisons of =/],
  ])('is refused that holds %s', (_, text, message) => {
    expect(() => parseEventPattern(text)).toThrow(message);
    expect(() => parseEventPattern(text)).toThrow(SyntaxError);
  });
});
