import fc from 'fast-check';
import { expect, test } from 'vitest';
import { strictBase64 } from '../../src/http/strict-base64.ts';

test('gives back the bytes of what any encoder writes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(strictBase64(Buffer.from(bytes).toString('base64'))).toEqual(Buffer.from(bytes));
    }),
  );
});

test.each(['YR==', 'YQB=', 'YWF='])(
  'refuses %s, whose last character holds bits that stand for nothing',
  (text) => {
    expect(strictBase64(text)).toBeUndefined();
  },
);

test('takes exactly the canonical texts that the pattern of RFC 4648 takes', () => {
  const pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;
  const characters = fc.constantFrom(...'AQZaz09+/=-_ \n.é');
  fc.assert(
    fc.property(fc.string({ unit: characters, maxLength: 12 }), (text) => {
      expect(strictBase64(text) !== undefined).toBe(pattern.test(text));
    }),
    { numRuns: 5_000 },
  );
});
