/** What a state item holds: DynamoDB developer guide, "Supported data types", 1E-130 to 9.99…E+125, either sign, and zero (read 2026-11). */
const MAGNITUDE_MIN = 1e-130;
const MAGNITUDE_MAX = 9.99e125;
/** Number of decimal digits that a double preserves (IEEE 754, binary64). */
const DIGITS_KEPT = 15;
/** Maximum number of digits that `toPrecision` returns. It distinguishes `0.10000000000000001` from a number that no double is near. */
const DIGITS_MAX = 100;

/** True for 0 and for a number of a magnitude that a state item holds. */
export function isStorableNumber(value: number): boolean {
  const magnitude = Math.abs(value);
  return value === 0 || (magnitude >= MAGNITUDE_MIN && magnitude <= MAGNITUDE_MAX);
}

/** True when `value` is the number that `text`, in JSON's grammar, says, to the last digit written, and a state item holds it. */
export function isExactNumber(text: string, value: number): boolean {
  if (value === 0) return digitsOf(text) === '';
  if (!isStorableNumber(value)) return false;
  if (text.length <= DIGITS_KEPT) return true;
  if (Number.isInteger(value) && !/[.eE]/.test(text)) return Number.isSafeInteger(value);
  const digits = digitsOf(text);
  if (digits.length <= DIGITS_KEPT || digitsOf(String(value)) === digits) return true;
  const written = significand(text).replace(/^0+/, '').length;
  return written <= DIGITS_MAX && digitsOf(value.toPrecision(written)) === digits;
}

/** Significant digits, without point, sign, exponent, leading and trailing zeros. */
function digitsOf(text: string): string {
  const digits = significand(text).replace(/^0+/, '');
  // By hand: a pattern for zeros at the end is tried at each zero: 160,000 of them in the middle took a minute.
  let length = digits.length;
  while (digits[length - 1] === '0') length -= 1;
  return digits.slice(0, length);
}

function significand(text: string): string {
  return text.replace(/[eE].*$/, '').replace(/[-+.]/g, '');
}

/** Strings, which may hold digits, and numbers. */
const STRING_OR_NUMBER = /"(?:[^"\\]+|\\.)*"|-?\d[\d.eE+-]*/g;

/** The numbers of a JSON text, in their own words. It reads what JSON.parse takes, however deeply nested. */
export function numberWords(json: string): readonly string[] {
  return (json.match(STRING_OR_NUMBER) ?? []).filter((words) => !words.startsWith('"'));
}

/** Those numbers of a JSON text that a double does not hold as they are written. */
export function inexactNumbers(json: string): readonly string[] {
  return numberWords(json).filter((words) => !isExactNumber(words, Number(words)));
}

/** What a number needs in order to become 0: an exponent of three digits, or as many zeros as two cannot make up for. */
const MAY_BECOME_ZERO = /[eE]-\d{3}|0{100}/;

/** Whether a number of a JSON text is not 0 and becomes 0 in a double. */
export function holdsNumberThatBecomesZero(json: string): boolean {
  if (!MAY_BECOME_ZERO.test(json)) return false;
  return inexactNumbers(json).some((text) => Number(text) === 0);
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * True for what `parseExactJson` makes of a number that a double does not hold to the last digit. A text that a device sent in the
 * same characters cannot be told from it.
 */
export function isNumberText(text: string): boolean {
  if (text.length <= DIGITS_KEPT || !JSON_NUMBER.test(text)) return false;
  const value = Number(text);
  return value !== 0 && isStorableNumber(value) && !isExactNumber(text, value);
}

/** The number that the value of an attribute is, to the nearest double where it is a {@link isNumberText}; otherwise undefined. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && isNumberText(value) ? Number(value) : undefined;
}

/**
 * Compares two numbers to the last digit: below 0 where the first is less. A text has digits, with a point, a sign and an exponent
 * or without; a double stands for its shortest text.
 */
export function compareNumbers(a: number | string, b: number | string): number {
  const difference = Number(a) - Number(b);
  const isDecided = difference !== 0 || (typeof a === 'number' && typeof b === 'number');
  return isDecided ? difference : compareDecimals(decimalOf(String(a)), decimalOf(String(b)));
}

/** The value is sign × 0.digits × 10^exponent, and the first digit is not 0. */
interface Decimal {
  readonly sign: number;
  readonly digits: string;
  readonly exponent: number;
}

function decimalOf(text: string): Decimal {
  const digits = digitsOf(text);
  if (digits === '') return { sign: 0, digits, exponent: 0 };
  const [mantissa = '', power = '0'] = text.split(/[eE]/);
  const [whole = '', fraction = ''] = mantissa.replace(/^[+-]/, '').split('.');
  const exponent = Number(power) + whole.length - `${whole}${fraction}`.search(/[1-9]/);
  return { sign: text.startsWith('-') ? -1 : 1, digits, exponent };
}

function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.sign !== b.sign) return a.sign - b.sign;
  if (a.exponent !== b.exponent) return a.sign * (a.exponent - b.exponent);
  return a.digits === b.digits ? 0 : a.digits < b.digits ? -a.sign : a.sign;
}
