import { canonicalText } from '@twinstream/verification';
import { describe, expect, test } from 'vitest';

describe('a canonical text', () => {
  test('is equal for members and maps in any order, at every level', () => {
    expect(canonicalText({ b: { d: 1, c: 2 }, a: [{ y: 1, x: 2 }] })).toBe(
      '{"a":[{"x":2,"y":1}],"b":{"c":2,"d":1}}',
    );
    const forward = new Map([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
    const backward = new Map([...forward].reverse());
    expect(canonicalText(forward)).toBe('[["a",1],["b",2],["c",3]]');
    expect(canonicalText(backward)).toBe(canonicalText(forward));
    expect(
      canonicalText(
        new Map([
          [2, 'b'],
          [1, 'a'],
        ]),
      ),
    ).toBe('[[1,"a"],[2,"b"]]');
  });

  test('differs where a value, an element or its place differs', () => {
    expect(canonicalText([1, 2])).not.toBe(canonicalText([2, 1]));
    expect(canonicalText(new Map([['a', 1]]))).not.toBe(canonicalText(new Map([['a', 2]])));
    expect(canonicalText(null)).toBe('null');
    expect(canonicalText({ a: null })).not.toBe(canonicalText({}));
  });

  test('leaves out what is absent, and says so where nothing is left', () => {
    expect(canonicalText({ a: undefined, b: 1 })).toBe('{"b":1}');
    expect(canonicalText(undefined)).toBe('absent');
  });
});
