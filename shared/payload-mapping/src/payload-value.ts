import { isExactNumber } from '@twinstream/device-model';

declare global {
  /** JSON.parse source text access (ECMAScript proposal, stage 3; in V8 since 11.4), which the types do not know yet. */
  interface JSON {
    rawJSON(text: string): RawNumber;
    isRawJSON(value: unknown): value is RawNumber;
  }
}

/** A number that a double does not hold, in the digits that the device wrote. JSON.stringify writes them as they are. */
export interface RawNumber {
  readonly rawJSON: string;
}

/** What a format decodes to. */
export type PayloadValue =
  | string
  | number
  | boolean
  | null
  | RawNumber
  | readonly PayloadValue[]
  | PayloadObject;
export interface PayloadObject {
  readonly [name: string]: PayloadValue;
}

export function isPayloadObject(value: PayloadValue | undefined): value is PayloadObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

export function isPayloadArray(value: PayloadValue | undefined): value is readonly PayloadValue[] {
  return Array.isArray(value);
}

export function isRawNumber(value: PayloadValue | undefined): value is RawNumber {
  return typeof value === 'object' && value !== null && JSON.isRawJSON(value);
}

/** The number that a text in JSON's grammar says: a double where that holds it to the last digit, else its own digits. */
export function numberOfWords(words: string): number | RawNumber {
  const value = Number(words);
  return isExactNumber(words, value) ? value : JSON.rawJSON(words);
}

/** A text, number or boolean as text; undefined for anything else. */
export function textOf(value: PayloadValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return isRawNumber(value) ? value.rawJSON : undefined;
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Characters of a number's text that are read. */
const NUMBER_CHARACTERS_MAX = 400;

/** A number, or a text that is one in JSON's grammar; undefined for anything else. */
export function numberOf(value: PayloadValue | undefined): number | RawNumber | undefined {
  if (typeof value === 'number' || isRawNumber(value)) return value;
  if (typeof value !== 'string' || value.length > NUMBER_CHARACTERS_MAX) return undefined;
  const words = value.trim();
  return JSON_NUMBER.test(words) ? numberOfWords(words) : undefined;
}

/** The same as a double, rounded where it must be. */
export function doubleOf(value: PayloadValue | undefined): number | undefined {
  const number = numberOf(value);
  return isRawNumber(number) ? Number(number.rawJSON) : number;
}

/** Sets a member of an object that is being built, whatever its name. */
export function setMember(object: { [name: string]: PayloadValue }, name: string, value: PayloadValue): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}
