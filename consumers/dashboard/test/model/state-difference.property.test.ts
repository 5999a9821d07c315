import type { JsonObject, JsonValue } from '@twinstream/device-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { differenceOf, isEqualJson } from '../../src/model/state-difference.ts';

const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);
const attributes = fc.dictionary(fc.string({ maxLength: 4 }), json, { maxKeys: 6 });

test('two readings of the same text are equal, whatever the order of members', () => {
  fc.assert(
    fc.property(attributes, (state) => {
      const turned: JsonObject = Object.fromEntries(Object.entries(structuredClone(state)).reverse());
      expect(isEqualJson(state, turned)).toBe(true);
    }),
  );
});

test('the changes lead from the state then to the state now', () => {
  fc.assert(
    fc.property(attributes, attributes, (then, now) => {
      const rebuilt = new Map<string, JsonValue>(Object.entries(then));
      for (const change of differenceOf(then, now)) {
        if (change.change === 'removed') rebuilt.delete(change.name);
        else if (change.change !== 'same') rebuilt.set(change.name, change.after);
      }
      expect(isEqualJson(Object.fromEntries(rebuilt), now)).toBe(true);
    }),
  );
});

test('null is a value, and differs from an attribute that is not there', () => {
  expect(differenceOf({ a: null }, {})).toEqual([{ name: 'a', change: 'removed', before: null }]);
  expect(differenceOf({}, { a: null })).toEqual([{ name: 'a', change: 'added', after: null }]);
});

test('an attribute that bears the name of a member of every object is one like any other', () => {
  expect(differenceOf({}, { constructor: 1 })).toEqual([{ name: 'constructor', change: 'added', after: 1 }]);
});
