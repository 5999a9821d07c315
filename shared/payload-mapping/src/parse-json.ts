import { numberOfWords, type PayloadValue } from './payload-value.ts';

/** A number that a double may not hold has 16 digits or more, or an exponent of three digits. It follows what no text begins with. */
const MAY_BE_INEXACT = /(?:^|[:[,])\s*-?(?:\d[\d.]{15}|[\d.]{1,16}[eE][+-]?\d{3})/;

/** Parses JSON; numbers that a double does not hold keep their digits. Throws SyntaxError, or RangeError where it is too deep. */
export function parseJson(text: string): PayloadValue {
  return MAY_BE_INEXACT.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
}

function keepDigits(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' && context?.source !== undefined ? numberOfWords(context.source) : value;
}
