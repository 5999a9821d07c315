import fc from 'fast-check';
import { expect, test } from 'vitest';
import { visible } from '../src/visible.ts';

test('stored text cannot act upon a terminal', () => {
  expect(visible('\u001b[2J\u0007key\u009b31m\r')).toBe('\\u001b[2J\\u0007key\\u009b31m\\u000d');
  expect(visible('abc\u202edcba')).toBe('abc\\u202edcba');
});

test('tables and words of any language stay as they are', () => {
  const text = 'Straße\tÑandú 停车\n🚌\n';
  expect(visible(text)).toBe(text);
});

test('JSON means the same afterwards', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      expect(JSON.parse(visible(JSON.stringify({ value })))).toEqual({ value });
    }),
  );
});
