import { RECORD_LIMITS } from './limits.ts';
import { numberOfWords, type PayloadValue } from './payload-value.ts';

/** A value, and how many numbers of its text were looked at one by one. */
export interface ParsedJson {
  readonly value: PayloadValue;
  readonly numbersRead: number;
}

/**
 * Parses JSON; numbers that a double does not hold keep their digits. Throws SyntaxError, or
 * RangeError where it is too deep, or has more than `numbersMax` numbers of which one may be inexact.
 */
export function parseJsonText(text: string, numbersMax: number = RECORD_LIMITS.exactNumbersMax): ParsedJson {
  if (!mayHoldInexact(text)) return { value: JSON.parse(text), numbersRead: 0 };
  let numbersRead = 0;
  const keepDigits = (_name: string, value: unknown, context?: { readonly source?: string }): unknown => {
    if (typeof value !== 'number' || context?.source === undefined) return value;
    numbersRead += 1;
    if (numbersRead > numbersMax) throw new RangeError('too many numbers');
    return numberOfWords(context.source);
  };
  return { value: JSON.parse(text, keepDigits), numbersRead };
}

/** Digits and points of a number that a double holds in any case (IEEE 754, binary64: 15 digits). */
const CHARACTERS_HELD = 15;
const [ZERO, NINE, POINT, QUOTE, EXPONENT, EXPONENT_CAPITAL] = [0x30, 0x39, 0x2e, 0x22, 0x65, 0x45];
const [A, Z, CAPITAL_A, CAPITAL_Z] = [0x61, 0x7a, 0x41, 0x5a];

/**
 * Whether a number of the text has more digits than a double surely holds, or an exponent. True also where a text looks like
 * that after a blank or a comma; false for digits after a letter or a quote, which no number follows. A walk over the
 * characters takes half the time of a pattern.
 */
function mayHoldInexact(text: string): boolean {
  let before = 0;
  for (let at = 0; at < text.length; at += 1) {
    const first = text.charCodeAt(at);
    if (first < ZERO || first > NINE) {
      before = first;
      continue;
    }
    const start = at;
    let next = first;
    while ((next >= ZERO && next <= NINE) || next === POINT) {
      at += 1;
      next = text.charCodeAt(at);
    }
    const isNumber = before !== QUOTE && !isLetter(before);
    if (isNumber && (at - start > CHARACTERS_HELD || next === EXPONENT || next === EXPONENT_CAPITAL))
      return true;
    before = next;
  }
  return false;
}

function isLetter(code: number): boolean {
  return (code >= A && code <= Z) || (code >= CAPITAL_A && code <= CAPITAL_Z);
}
