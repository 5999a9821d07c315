import { describe, expect, it } from 'vitest';
import { evaluatePrefix, prefixFault } from '../../src/firehose/prefix-expression.ts';

const moment = { timeMs: Date.UTC(2026, 0, 9, 4, 5, 6, 78), random: () => 0 };

describe('a prefix', () => {
  it.each([
    ['', '2026/01/09/04/'],
    ['archive/', 'archive/2026/01/09/04/'],
    ['flat-', 'flat-2026/01/09/04/'],
    [
      'archive/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/',
      'archive/year=2026/month=01/day=09/hour=04/',
    ],
    ['!{timestamp:yyyy-MM-dd}/', '2026-01-09/'],
    ["!{timestamp:'year='yyyy'/month='MM}/", 'year=2026/month=01/'],
    ["!{timestamp:yy''M''d H m s SSS}", "26'1'9 4 5 6 078"],
    ['a/!{firehose:random-string}/', 'a/AAAAAAAAAAA/'],
  ])('%j becomes %j', (prefix, expected) => {
    expect(evaluatePrefix(prefix, moment)).toBe(expected);
  });

  it('draws a new random string each time', () => {
    let next = 0;
    const random = () => {
      next += 1;
      return (next % 62) / 62;
    };
    const [first, second] = evaluatePrefix('!{firehose:random-string}/!{firehose:random-string}', {
      ...moment,
      random,
    }).split('/');
    expect(first).toMatch(/^[A-Za-z0-9]{11}$/);
    expect(second).not.toBe(first);
  });
});

describe('a pair of prefixes is refused', () => {
  const error = 'errors/!{firehose:error-output-type}/';
  it.each([
    ['expressions without an error prefix', 'a/!{timestamp:yyyy}/', undefined],
    ['an error type in the prefix', 'a/!{firehose:error-output-type}/', error],
    ['an error prefix with expressions but no error type', 'a/', 'errors/!{timestamp:yyyy}/'],
    ['an unknown namespace', 'a/!{device:id}/', error],
    ['an unknown value', 'a/!{firehose:name}/', error],
    ['an unknown pattern letter', 'a/!{timestamp:yyyy-ww}/', error],
    ['an empty pattern', 'a/!{timestamp:}/', error],
    ['an unclosed quote', "a/!{timestamp:yyyy'x}/", error],
    ['too many characters', 'a'.repeat(1_025), undefined],
  ])('for %s', (_name, prefix, errorPrefix) => {
    expect(prefixFault(prefix, errorPrefix)).toEqual(expect.any(String));
  });

  it.each([
    ['nothing at all', undefined, undefined],
    ['plain prefixes', 'a/', 'errors/'],
    ['expressions in both', 'a/!{timestamp:yyyy}/!{firehose:random-string}/', error],
  ])('but not for %s', (_name, prefix, errorPrefix) => {
    expect(prefixFault(prefix, errorPrefix)).toBeUndefined();
  });
});
