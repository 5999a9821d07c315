import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExactJson } from '../src/exact-json.ts';
import { isExactNumber, isStorableNumber } from '../src/json-number.ts';
import { jsonAt, jsonElements, jsonMembers, withJsonAt } from '../src/json-text.ts';
import { keepWords } from '../src/keep-words.ts';

const blank = fc.constantFrom('', ' ', '\n', '\t \r\n');
/** Words of JSON as people and programs write them: what JSON.stringify would say otherwise as well. */
const scalar = fc.oneof(
  fc.constantFrom(
    '1.0',
    '9007199254740993',
    '-0',
    '1E5',
    '0.10',
    '123456789012345678901234567890',
    '"\\u0041"',
  ),
  fc.constantFrom('true', 'false', 'null', '"a\\"]}\\\\"', '""', '"\u2028"'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
);
const name = fc.constantFrom('a', 'b', '__proto__', 'constructor', 'a\\u0062c', '{}', 'x"', 'toString');
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc
      .array(fc.tuple(blank, tie('json')), { maxLength: 4 })
      .map((items) => `[${items.map(([space, item]) => space + item + space).join(',')}]`),
    fc
      .array(fc.tuple(blank, name, tie('json')), { maxLength: 4 })
      .map(
        (items) =>
          `{${items.map(([space, key, item]) => `${space}${quote(key)}${space}:${space}${item}${space}`).join(',')}}`,
      ),
  ),
}));
const quote = (key: string): string => (key.includes('\\u') ? `"${key}"` : JSON.stringify(key));
const objectText = fc
  .array(fc.tuple(blank, name, json), { maxLength: 6 })
  .map(
    (items) => `{${items.map(([space, key, item]) => `${space}${quote(key)} : ${item}${space}`).join(',')}}`,
  );

test('numbers are doubles where these hold them to the last digit, and else the texts of their digits, wherever they stand', () => {
  const before = fc.constantFrom('', ' ', '"a\\\\",', '"7",', '1,', 'null , ');
  const words = fc.oneof(
    fc.tuple(fc.bigInt(), fc.nat(30)).map(([whole, digits]) => `${whole}.${'3'.repeat(digits)}1`),
    fc.bigInt().map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e99, max: 1e99 }).map(String),
    fc.tuple(fc.integer(), fc.constantFrom('e', 'E+', 'e-'), fc.nat(40)).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(before, words, (first, number) => {
      const value = Number(number);
      const isKept = value === 0 || !isStorableNumber(value) || isExactNumber(number, value);
      const parsed = parseExactJson(`[${first}{"x":${number}}]`) as readonly unknown[];
      expect(parsed.at(-1)).toEqual({ x: isKept ? value : number });
    }),
    { numRuns: 2_000 },
  );
});

test('members and elements of a JSON text are those that JSON.parse finds', () => {
  fc.assert(
    fc.property(objectText, fc.array(json), (text, items) => {
      const found = new Map(
        jsonMembers(text).map((member) => [
          member.name,
          JSON.parse(text.slice(member.valueStart, member.valueEnd)),
        ]),
      );
      expect(found).toEqual(new Map(Object.entries(JSON.parse(text))));
      expect(jsonElements(`[ ${items.join(' , ')} ]`)).toEqual(items);
    }),
  );
});

test('a member that is set or removed leaves the words of all others', () => {
  fc.assert(
    fc.property(objectText, name, fc.option(json), (text, key, value) => {
      const path = JSON.parse(quote(key)) as string;
      const made = withJsonAt(text, [path], value ?? undefined);
      expect(jsonAt(made, [path])).toBe(value ?? undefined);
      for (const other of new Set(jsonMembers(text).map((member) => member.name))) {
        if (other !== path) expect(jsonAt(made, [other])).toBe(jsonAt(text, [other]));
      }
    }),
  );
});

test('a program that reads numbers into doubles and writes JSON again changes no word that it does not touch', () => {
  fc.assert(
    fc.property(objectText, json, (text, value) => {
      const untouched = JSON.stringify(JSON.parse(text));
      expect(keepWords(text, untouched)).toEqual({ text });
      const touched = JSON.stringify({ ...JSON.parse(text), touched: 1 });
      const kept = keepWords(text, touched);
      if ('rounded' in kept) throw new Error(kept.rounded);
      for (const member of new Set(jsonMembers(text).map((each) => each.name))) {
        expect(jsonAt(kept.text, [member])).toBe(jsonAt(text, [member]));
      }
      expect(jsonAt(kept.text, ['touched'])).toBe('1');
      expect(keepWords(`{"v":${value}}`, '{}')).toEqual({ text: '{}' });
    }),
  );
});

test('a number that no double holds and that was moved is named, unless it kept its digits', () => {
  const before = '{"a":9007199254740993,"b":[1.0,0.1234567890123456789]}';
  expect(keepWords(before, '{"c":9007199254740992}')).toEqual({ rounded: '9007199254740993' });
  expect(keepWords(before, '{"a":1,"x":{"y":[0.12345678901234568]}}')).toEqual({
    rounded: '0.1234567890123456789',
  });
  expect(keepWords(before, '{"c":9007199254740993,"b":[1,2]}')).toEqual({
    text: '{"c":9007199254740993,"b":[1.0,2]}',
  });
});

test('a text nested ten thousand levels is read without an end of the stack', () => {
  const deep = `{"own":${'['.repeat(10_000)}1.0${']'.repeat(10_000)},"n":1.0}`;
  expect(jsonMembers(deep).map((member) => member.name)).toEqual(['own', 'n']);
  expect(withJsonAt(deep, ['n'], '2')).toBe('{"own":HERE,"n":2}'.replace('HERE', deep.slice(7, -9)));
  expect(keepWords(deep, '{"n":1}')).toEqual({ text: '{"n":1.0}' });
});

test.each([
  ['1.0', true],
  ['9007199254740992', false],
  ['9007199254740993', false],
  ['0.1', true],
  ['0.1234567890123456789', false],
  ['1e-400', false],
  ['1E400', false],
  ['0e-400', true],
  ['12345678901234567890123', false],
  ['1e22', true],
])('%s is exact: %s', (text, isExact) => {
  expect(isExactNumber(text, Number(text))).toBe(isExact);
});
