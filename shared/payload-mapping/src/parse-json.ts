import { countLongNumbers } from '@twinstream/device-model';
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
  const exactNumbers = countLongNumbers(text, numbersMax);
  if (exactNumbers !== undefined) return { value: JSON.parse(text), numbersRead: exactNumbers };
  let numbersRead = 0;
  const keepDigits = (_name: string, value: unknown, context?: { readonly source?: string }): unknown => {
    if (typeof value !== 'number' || context?.source === undefined) return value;
    numbersRead += 1;
    if (numbersRead > numbersMax) throw new RangeError('too many numbers');
    return numberOfWords(context.source);
  };
  return { value: JSON.parse(text, keepDigits), numbersRead };
}
