/** JSON's own grammar of a number: no leading zeros, no leading plus, no bare point. */
const NUMBER = /^-?(?:0|[1-9]\d*)(\.\d+)?(?:[eE]([+-]?)\d+)?$/;
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['True', true],
  ['TRUE', true],
  ['false', false],
  ['False', false],
  ['FALSE', false],
]);
// DynamoDB developer guide, "Supported data types": numbers from 1E-130 to 9.99…E+125 (read 2026-11).
const MAGNITUDE_MIN = 1e-130;
const MAGNITUDE_MAX = 9.99e125;
/** Any decimal of so many digits comes back from a double (IEEE 754, binary64). */
const DIGITS_KEPT = 15;
/** Digits that `toPrecision` gives at most. It tells `0.10000000000000001` from a number that no double is near. */
const DIGITS_MAX = 100;

/**
 * What a cell holds: null where it is empty, a boolean (`true`, `True`, `TRUE`, …), a number, or its text as it stands.
 *
 * A number is what JSON calls one, where nothing is lost by taking it for one. Text stays what looks like a name (`007`,
 * `+49`, `1e5`, which has neither a point nor a signed exponent) and what no double holds exactly as written
 * (`9007199254740993`, `0.12345678901234567891`, `1e+999`). `0.0` and `12.10` are the numbers 0 and 12.1.
 */
export function cellValue(cell: string): string | number | boolean | null {
  const text = cell.trim();
  if (text === '') return null;
  return numberOf(text) ?? BOOLEANS.get(text) ?? cell;
}

/** The number that a text stands for, or undefined when it is to stay text. */
export function numberOf(text: string): number | undefined {
  const parts = NUMBER.exec(text);
  if (parts === null) return undefined;
  const [, fraction, exponentSign] = parts;
  if (fraction === undefined && exponentSign === '') return undefined;
  const value = Number(text);
  if (!isKept(text, value)) return undefined;
  return value === 0 ? 0 : value;
}

/** True when `value` is the number that `text`, in JSON's grammar, says, to the last digit written. */
export function isKept(text: string, value: number): boolean {
  if (value === 0) return digitsOf(text) === '';
  const magnitude = Math.abs(value);
  if (magnitude < MAGNITUDE_MIN || magnitude > MAGNITUDE_MAX) return false;
  if (text.length <= DIGITS_KEPT) return true;
  if (Number.isInteger(value) && !/[.eE]/.test(text)) return Number.isSafeInteger(value);
  const digits = digitsOf(text);
  if (digits.length <= DIGITS_KEPT || digitsOf(String(value)) === digits) return true;
  const written = significand(text).replace(/^0+/, '').length;
  return written <= DIGITS_MAX && digitsOf(value.toPrecision(written)) === digits;
}

/** Significant digits, without point, sign, exponent, leading and trailing zeros. */
function digitsOf(text: string): string {
  return significand(text).replace(/^0+/, '').replace(/0+$/, '');
}

function significand(text: string): string {
  return text.replace(/[eE].*$/, '').replace(/[-.]/g, '');
}
