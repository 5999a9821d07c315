import { isExactNumber, isStorableNumber } from './json-number.ts';

/** Digits and points of a number that a double holds in any case (IEEE 754, binary64: 15 digits). */
const CHARACTERS_HELD = 15;
const [ZERO, NINE, POINT, PLUS, MINUS, QUOTE] = [0x30, 0x39, 0x2e, 0x2b, 0x2d, 0x22];
const [A, Z, CAPITAL_A, CAPITAL_Z] = [0x61, 0x7a, 0x41, 0x5a];
const [EXPONENT, CAPITAL_EXPONENT] = [0x65, 0x45];

/**
 * Counts the numbers of a JSON text that are too long to be held by a double in any case, or have an exponent. Undefined where
 * a double does not hold one of them to the last digit, where a text looks like such a number after a blank or a comma,
 * and where there are more than `numbersMax`. A walk over the characters takes half the time of a pattern.
 */
export function countLongNumbers(
  json: string,
  numbersMax: number = Number.POSITIVE_INFINITY,
): number | undefined {
  let numbers = 0;
  let before = 0;
  for (let at = 0; at < json.length; at += 1) {
    const first = json.charCodeAt(at);
    if (first < ZERO || first > NINE) {
      before = first;
      continue;
    }
    const start = at;
    let next = first;
    while ((next >= ZERO && next <= NINE) || next === POINT) {
      at += 1;
      next = json.charCodeAt(at);
    }
    const hasExponent = next === EXPONENT || next === CAPITAL_EXPONENT;
    if ((hasExponent || at - start > CHARACTERS_HELD) && before !== QUOTE && !isLetter(before)) {
      const words = json.slice(start, hasExponent ? exponentEnd(json, at) : at);
      numbers += 1;
      if (numbers > numbersMax || !isExactNumber(words, Number(words))) return undefined;
    }
    before = next;
  }
  return numbers;
}

/** After the exponent that begins with the letter here. */
function exponentEnd(json: string, letter: number): number {
  let at = letter + 1;
  let next = json.charCodeAt(at);
  while ((next >= ZERO && next <= NINE) || next === PLUS || next === MINUS) {
    at += 1;
    next = json.charCodeAt(at);
  }
  return at;
}

function isLetter(code: number): boolean {
  return (code >= A && code <= Z) || (code >= CAPITAL_A && code <= CAPITAL_Z);
}

/**
 * Parses the JSON of an event. A number that a double does not hold to the last digit becomes the text of its digits, as the
 * device wrote them: state, and everything that is made of events, holds them unrounded. Numbers that a state item
 * cannot hold stay numbers, and are rejected. Throws SyntaxError.
 */
export function parseExactJson(json: string): unknown {
  return countLongNumbers(json) === undefined ? JSON.parse(json, keepDigits) : JSON.parse(json);
}

/** `source`: the number's own words (ECMAScript proposal "JSON.parse source text access", in V8 since 11.4). */
function keepDigits(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || value === 0 || source === undefined) return value;
  return isStorableNumber(value) && !isExactNumber(source, value) ? source : value;
}
