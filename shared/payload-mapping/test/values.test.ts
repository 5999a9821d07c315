import { describe, expect, test } from 'vitest';
import { ARRIVAL_TIME, mappedValue, mapperOf, record } from './mapping-builder.ts';

const at = 'rules.one.event.data.object.x';

describe('a path', () => {
  const payload = { a: { 'b.c': [{ d: 1 }, { d: 2 }] }, '': 1 };
  test.each([
    ['a["b.c"][0].d', 1],
    ['a["b.c"][-1].d', 2],
    ['$payload.a["b.c"][1]', { d: 2 }],
    ['$record.partitionKey', 'key'],
    ['$record.arrivalTime', ARRIVAL_TIME],
    ['$index', 0],
    ['a.constructor', undefined],
    ['a["b.c"].length', undefined],
    ['__proto__', undefined],
  ])('%s', (path, expected) => {
    expect(mappedValue(JSON.stringify(path), payload)).toEqual(expected);
  });
});

describe('a step', () => {
  test.each<[string, string, unknown, unknown]>([
    ['splits a topic', '{ split: { by: /, index: 1 } }', 'bus/2619/state', '2619'],
    ['splits from the end', '{ split: { by: /, index: -1 } }', 'bus/2619/state', 'state'],
    [
      'finds a group',
      '{ match: { pattern: "v3/[^/]+/devices/([^/]+)/up" } }',
      'v3/app@ttn/devices/d-1/up',
      'd-1',
    ],
    [
      'finds nothing in a text beyond the bound',
      '{ match: { pattern: "(.*)" } }',
      'x'.repeat(257),
      undefined,
    ],
    ['makes a number of text', 'number', ' 21.50 ', 21.5],
    ['makes a boolean of text', 'boolean', 'ON', true],
    ['makes a boolean of a number', 'boolean', 0, false],
    ['makes text of a number', 'text', 1.5, '1.5'],
    ['converts a unit', '{ scale: { factor: 0.1, offset: -40, decimals: 2 } }', 617, 21.7],
    ['converts a numeric text', '{ scale: { factor: 0.001 } }', '3300', 3.3],
    ['names a value', '{ enum: { values: { "0": off, "1": on } } }', 1, 'on'],
    ['names any other value', '{ enum: { values: { "0": off }, otherwise: unknown } }', 7, 'unknown'],
    ['reads JSON inside a text', 'json', '{"a":1}', { a: 1 }],
    ['reads base64', '{ decode: { from: base64, to: text } }', 'w6k=', 'é'],
    ['reads base64 as JSON', '{ decode: { from: base64, to: json } }', 'eyJhIjoxfQ==', { a: 1 }],
    ['makes hex of base64', '{ decode: { from: base64, to: hex } }', 'AKRA', '00a440'],
    ['makes base64 of hex', '{ decode: { from: hex, to: base64 } }', '00a440', 'AKRA'],
    ['reads a number from bytes', '{ integer: { offset: 1, bytes: 2 } }', '00a44001', 42_048],
    [
      'reads a signed one',
      '{ integer: { offset: 0, bytes: 2, signed: true, littleEndian: true } }',
      'feff',
      -2,
    ],
    ['picks', '{ pick: [a, c] }', { a: 1, b: 2 }, { a: 1 }],
    ['drops', '{ drop: [a] }', { a: 1, b: 2 }, { b: 2 }],
    ['renames', '{ rename: { a: A } }', { a: 1, b: 2 }, { A: 1, b: 2 }],
    ['flattens', '{ flatten: . }', { a: { b: { c: 1 }, d: [1] }, e: {} }, { 'a.b.c': 1, 'a.d': [1], e: {} }],
    ['keeps null', 'number', null, null],
  ])('%s', (_, step, input, expected) => {
    expect(mappedValue(`{ path: in, steps: [${step}] }`, { in: input })).toEqual(expected);
  });

  test.each<[string, string, unknown, string]>([
    ['a number', 'number', 'soon', 'number: not a number'],
    ['hexadecimal numbers', 'number', '0x10', 'number: not a number'],
    ['a boolean', 'boolean', 'maybe', 'boolean: not true, false, 1, 0, on, off, yes or no'],
    ['an unnamed value', '{ enum: { values: { "0": off } } }', 7, 'enum: not one of the values'],
    ['an inherited name', '{ enum: { values: { "0": off } } }', 'constructor', 'enum: not one of the values'],
    ['hex', '{ decode: { from: hex, to: text } }', 'abc', 'decode: not hex'],
    ['UTF-8', '{ decode: { from: hex, to: text } }', 'ff', 'decode: not UTF-8'],
    [
      'bytes beyond the end',
      '{ integer: { offset: 1, bytes: 4 } }',
      '0001',
      'integer: beyond the end of the bytes',
    ],
    ['a text', 'trim', { a: 1 }, 'trim: not a text'],
    ['an object', '{ flatten: . }', [1], 'flatten: not an object'],
    ['infinity', '{ scale: { factor: 1.0e+308 } }', 1e10, 'scale: not a finite number'],
  ])('refuses what is not %s', (_, step, input, fault) => {
    expect(mappedValue(`{ path: in, steps: [${step}] }`, { in: input })).toBe(`${at}.steps[0].${fault}`);
  });
});

describe('a time', () => {
  test.each<[string, unknown, string]>([
    ['unit: seconds', 1767225600, '2026-01-01T00:00:00.000Z'],
    ['unit: seconds', 1767225600.25, '2026-01-01T00:00:00.250Z'],
    ['unit: seconds', '1767225600.1234567891', '2026-01-01T00:00:00.123456789Z'],
    ['unit: seconds', -1, '1969-12-31T23:59:59.000Z'],
    ['unit: seconds', 253402300799, '9999-12-31T23:59:59.000Z'],
    ['unit: milliseconds', -62167219200000, '0000-01-01T00:00:00.000Z'],
    ['unit: milliseconds', 1767225600001, '2026-01-01T00:00:00.001Z'],
    ['unit: microseconds', 1767225600000001, '2026-01-01T00:00:00.000001Z'],
    ['unit: nanoseconds', '1767225600000000001', '2026-01-01T00:00:00.000000001Z'],
    ['unit: by-magnitude', 1767225600, '2026-01-01T00:00:00.000Z'],
    ['unit: by-magnitude', 1767225600000, '2026-01-01T00:00:00.000Z'],
    ['unit: by-magnitude', 1767225600000000, '2026-01-01T00:00:00.000Z'],
    ['unit: by-magnitude', '2026-01-01T00:00:00+01:00', '2026-01-01T00:00:00+01:00'],
    ['unit: iso', '2026-01-01T00:00:00.123456789Z', '2026-01-01T00:00:00.123456789Z'],
    ['unit: iso', '2026-01-01 00:00:00+01', '2026-01-01T00:00:00+01:00'],
    ['unit: iso, offset: "-05:00"', '2026-01-01T00:00', '2026-01-01T00:00:00-05:00'],
    ['unit: iso, offset: "-05:00"', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    ['unit: seconds, relativeBelow: 268435456', -5, '2026-01-01T00:00:05.000Z'],
  ])('{ %s } of %s', (step, input, expected) => {
    expect(mappedValue(`{ path: in, steps: [{ time: { ${step} } }] }`, { in: input })).toBe(expected);
  });

  test.each<[string, unknown]>([
    ['unit: seconds', 1767225600000],
    ['unit: seconds', 253402300800],
    ['unit: milliseconds', -62167219200001],
    ['unit: seconds', '2026-01-01T00:00:00Z'],
    ['unit: seconds', true],
    ['unit: iso', '2026-01-01T00:00:00'],
    ['unit: iso', '2026-02-30T00:00:00Z'],
    ['unit: iso', 1767225600],
    ['unit: nanoseconds', 1e300],
  ])('refuses { %s } of %s', (step, input) => {
    expect(mappedValue(`{ path: in, steps: [{ time: { ${step} } }] }`, { in: input })).toMatch(
      /^rules\..*\.time: not/,
    );
  });
});

describe('a value', () => {
  test.each<[string, string, unknown]>([
    ['concatenates', '{ concat: [{ const: "bus-" }, id, { const: "/" }, n] }', 'bus-a/7'],
    ['has no concatenation of what is missing', '{ concat: [id, missing], default: none }', 'none'],
    ['sums what is there', '{ sum: [n, missing, n] }', 14],
    ['takes the first that is there', '{ first: [missing, nothing, n] }', 7],
    ['merges', '{ merge: [o, { object: { b: n } }] }', { a: 1, b: 7 }],
    ['leaves out members without a value', '{ object: { a: n, b: missing } }', { a: 7 }],
    ['makes a member of a name', '{ member: { name: id, value: n } }', { a: 7 }],
    [
      'makes an object of pairs',
      '{ pairs: { path: list, name: k, value: { path: v, steps: [number] } } }',
      { t: 21.5 },
    ],
    ['falls back on a default', '{ path: nothing, default: 3 }', 3],
    ['is an expression', `{ expression: 'if(.id == "a", round(.n * 9 / 5 + 32, 1), .n)' }`, 44.6],
  ])('%s', (_, value, expected) => {
    const payload = {
      id: 'a',
      n: 7,
      o: { a: 1, b: 2 },
      nothing: null,
      list: [{ k: 't', v: '21.5' }, { v: 1 }],
    };
    expect(mappedValue(value, payload)).toEqual(expected);
  });

  test('of an expression never joins whole numbers that differ beyond what a double holds', () => {
    const rules = "[{name: one, event: {deviceId: {expression: 'string(.id)'}, data: {path: $item}}}]";
    const mapper = mapperOf(`{language: 1, mapping: one, version: 1, rules: ${rules}}`);
    const { events, rejections } = mapper.map(record(Buffer.from('{"id":9007199254740993}')));
    expect(events).toEqual([]);
    expect(rejections[0]?.detail).toContain('a whole number that a double does not hold');
  });

  test('of an expression is bounded: it reads texts, numbers and booleans alone', () => {
    expect(mappedValue("{ expression: '.list == .list' }", { list: [1] })).toBe(
      `${at}.expression: the expression reads what is not a short text, number or boolean`,
    );
    expect(mappedValue("{ expression: '.n / 0' }", { n: 1 })).toContain(
      'not a text, finite number or boolean',
    );
  });
});
