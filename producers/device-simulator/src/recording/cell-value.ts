import { isExactNumber } from '@twinstream/device-model';

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
  if (!isExactNumber(text, value)) return undefined;
  return value === 0 ? 0 : value;
}
