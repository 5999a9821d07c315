import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faultOfValue, type WireValue } from '../src/dynalite-store.ts';

const { validateAttributeValue }: { validateAttributeValue(value: WireValue): string | null | undefined } =
  createRequire(import.meta.url)('dynalite/validations');

const numberText = fc.oneof(
  fc.double({ noDefaultInfinity: true, noNaN: true }).map(String),
  fc.integer().map(String),
  fc.bigInt({ min: -(10n ** 45n), max: 10n ** 45n }).map(String),
  fc.stringMatching(/^-?\d{0,22}\.?\d{0,22}(?:e[+-]?\d{1,3})?$/),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.record({ N: numberText }),
    fc.record({ S: fc.string() }),
    fc.record({ B: fc.base64String() }),
    fc.record({ BOOL: fc.boolean() }),
    fc.record({ NULL: fc.boolean() }),
    fc.record({ SS: fc.array(fc.string(), { maxLength: 3 }) }),
    fc.record({ NS: fc.array(numberText, { maxLength: 3 }) }),
    fc.record({ S: fc.string(), N: numberText }, { requiredKeys: [] }),
    fc.record({ L: fc.array(tie('value'), { maxLength: 3 }) }),
    fc.record({ M: fc.dictionary(fc.string(), tie('value'), { maxKeys: 3 }) }),
  ),
}));

/** What a validation makes of a value: the fault it names, or the value in the form that is kept. */
function outcome(validate: (value: WireValue) => string | null | undefined, value: WireValue): unknown {
  const own = structuredClone(value);
  return validate(own) ?? own;
}

describe('values of items', () => {
  it("are refused and written as dynalite's own validation has it", () => {
    fc.assert(
      fc.property(value as fc.Arbitrary<WireValue>, (one) => {
        expect(outcome(faultOfValue, one)).toEqual(outcome(validateAttributeValue, one));
      }),
      { numRuns: 2_000 },
    );
  });
});
