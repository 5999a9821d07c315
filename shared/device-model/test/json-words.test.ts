import { inexactNumbers, isExactNumber, jsonAt, keepWords, withJsonAt } from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';
import { holdsNumberThatBecomesZero } from '../src/json-number.ts';
import { jsonElements, jsonMembers } from '../src/json-text.ts';

describe('a value at a path of names', () => {
  test('is set below the members on its way, which keep their words', () => {
    expect(withJsonAt('{"a":{"b":1.0,"c":2},"d":3.0}', ['a', 'c'], '4')).toBe(
      '{"a":{"b":1.0,"c":4},"d":3.0}',
    );
    expect(withJsonAt('{"x":1.0, "a" : {"b":1} , "d":3}', ['a', 'b'], '2')).toBe(
      '{"x":1.0, "a" : {"b":2} , "d":3}',
    );
  });

  test('has the objects on its way made where they are missing or are none', () => {
    expect(withJsonAt('{"d":3.0}', ['a', 'b', 'c'], '4')).toBe('{"d":3.0,"a":{"b":{"c":4}}}');
    expect(withJsonAt('{"a":5,"d":3.0}', ['a', 'b'], '4')).toBe('{"a":{"b":4},"d":3.0}');
  });

  test('is removed, and nothing is made for a value that is not there', () => {
    expect(withJsonAt('{"a":{"b":1.0,"c":2}}', ['a', 'c'], undefined)).toBe('{"a":{"b":1.0}}');
    expect(withJsonAt('{"d":3.0}', ['a', 'b'], undefined)).toBe('{"d":3.0}');
    expect(withJsonAt('{"a":5}', ['a', 'b'], undefined)).toBe('{"a":5}');
    expect(withJsonAt('{"a":1.0}', [], undefined)).toBe('{"a":1.0}');
  });

  test('of a name that comes twice is that of the last one', () => {
    expect(withJsonAt('{"a":{"b":1},"a":{"b":2}}', ['a', 'b'], '3')).toBe('{"a":{"b":1},"a":{"b":3}}');
    expect(jsonAt('{"a":1,"a":{"b":2}}', ['a', 'b'])).toBe('2');
  });

  test('is undefined below a value that is not an object, though it looks like one', () => {
    expect(jsonAt('{"a":["b",{"b":1}]}', ['a', 'b'])).toBeUndefined();
    expect(jsonAt('{"a":1}', ['b'])).toBeUndefined();
    expect(jsonAt('{"a": {"b":1}}', ['a', 'b'])).toBe('1');
  });
});

describe('JSON that was made of other JSON', () => {
  test('keeps the words of a value that means the same at the same place, and nowhere else', () => {
    expect(keepWords(' {"a":1.0} ', ' {"a":1} ')).toEqual({ text: '{"a":1.0}' });
    expect(keepWords('{"a":1.0}', '{"a":2}')).toEqual({ text: '{"a":2}' });
    expect(keepWords('[1.0,2.0]', '[1,2,3]')).toEqual({ text: '[1.0,2.0,3]' });
    expect(keepWords('[1.0,2.0,3]', '[1,2]')).toEqual({ text: '[1.0,2.0]' });
    expect(keepWords('[1.0, 2.0]', '[1,2]')).toEqual({ text: '[1.0, 2.0]' });
    expect(keepWords('{"a":1.0, "b":2}', '{"a":1}')).toEqual({ text: '{"a":1.0}' });
  });

  test('takes a value of another kind as it was made', () => {
    expect(keepWords('{"a":1}', '[1]')).toEqual({ text: '[1]' });
    expect(keepWords('[1]', '{"0":1}')).toEqual({ text: '{"0":1}' });
    expect(keepWords('1.0', '[1]')).toEqual({ text: '[1]' });
    expect(keepWords('{"a":1}', '1')).toEqual({ text: '1' });
    expect(keepWords('[]', '""')).toEqual({ text: '""' });
  });

  test('keeps an escaped name and names a number that was rounded in a new element, a new member or another kind', () => {
    expect(keepWords('{"\\u0061":1.0,"b":1}', '{"a":1,"b":2}')).toEqual({ text: '{"\\u0061":1.0,"b":2}' });
    const rounded = { rounded: '9007199254740993' };
    expect(keepWords('{"a":9007199254740993}', '[9007199254740992]')).toEqual(rounded);
    expect(keepWords('{"a":9007199254740993,"b":[]}', '{"b":[9007199254740992]}')).toEqual(rounded);
    expect(keepWords('{"a":9007199254740993,"b":1}', '{"b":9007199254740992}')).toEqual(rounded);
  });

  test('is compared 64 levels deep, and taken as it was made below', () => {
    const nested = (levels: number, inner: string) => `${'['.repeat(levels)}${inner}${']'.repeat(levels)}`;
    expect(keepWords(nested(63, '1.0'), nested(63, '1'))).toEqual({ text: nested(63, '1.0') });
    expect(keepWords(nested(64, '1.0'), nested(64, '1'))).toEqual({ text: nested(64, '1') });
    const objects = (levels: number, inner: string) =>
      `${'{"a":'.repeat(levels)}${inner}${'}'.repeat(levels)}`;
    expect(keepWords(objects(64, '1.0'), objects(64, '1'))).toEqual({ text: objects(64, '1') });
  });
});

describe('a JSON text that ends early', () => {
  test('is read without an end', () => {
    expect(jsonElements('[1,2')).toEqual(['1', '2']);
    expect(jsonElements('[')).toEqual([]);
    expect(jsonElements('["a')).toHaveLength(1);
    expect(jsonMembers('{"a":1').map(({ name }) => name)).toEqual(['a']);
    expect(jsonElements('[[1')).toEqual(['[1']);
  });
});

describe('a number', () => {
  test.each([
    ['100000000000000000', false],
    ['0.10000000000000001', true],
    ['1.5000000000000000000000000', true],
    ['0.00000000000000000000000015', true],
    ['-0.000000000000000000001', true],
    ['0.10000000000000000000000000', true],
    ['0.300000000000000040', true],
    ['0.300000000000000044', true],
    ['0.300000000000000045', false],
    ['123456789.123456789', false],
    ['123456789.1234567890123', false],
    ['100200300400500600700800900e-3', false],
    ['1.00200300400500600', true],
    ['10.0000000000000000000000000001', false],
    ['12345678901234567e0', false],
    ['12345678901234568e0', true],
    ['0.1000000000000000055511151231257827', true],
    ['0.1000000000000000055511151231257828', false],
    [`0.1000000000000000055511151231257827021181583404541015625${'0'.repeat(45)}`, true],
    [`0.1000000000000000055511151231257827021181583404541015625${'0'.repeat(46)}`, false],
  ])('%s is exact in a double: %s', (text, isExact) => {
    expect(isExactNumber(text, Number(text))).toBe(isExact);
  });

  test('is looked for outside of strings, and there may be none', () => {
    expect(inexactNumbers('{"9007199254740993":"9007199254740993","a":["\\"9007199254740993"]}')).toEqual([]);
    expect(inexactNumbers('true')).toEqual([]);
    expect(inexactNumbers('[9007199254740993,1,-9007199254740995]')).toEqual([
      '9007199254740993',
      '-9007199254740995',
    ]);
  });

  test('becomes 0 in a double by its exponent or by its zeros, and is told from one that is inexact', () => {
    expect(holdsNumberThatBecomesZero('[1e-400]')).toBe(true);
    expect(holdsNumberThatBecomesZero(`[0.${'0'.repeat(400)}1]`)).toBe(true);
    expect(holdsNumberThatBecomesZero('[0e-400,9007199254740993]')).toBe(false);
    expect(holdsNumberThatBecomesZero('["1e-400",9007199254740993]')).toBe(false);
  });
});
