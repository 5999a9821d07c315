import type { Finding } from './find-device.ts';
import { type Field, plainName } from './sample-fields.ts';

const NAMED =
  /^(?:ts|t|time|timestamp|datetime|date|at|when|epoch|observedat|measuredat|recordedat|createdat|sentat|devicetime|eventtime|reportedat|utc|timems|tsms|unixtime)$/;
const NAMED_LESS = /(?:time|timestamp|date|at|ts)$/;
const SHARE_MIN = 0.5;

/** Seconds since 1970 of the years that a fleet's samples come from. */
const PLAUSIBLE_FROM = Date.UTC(2001, 0) / 1_000;
const PLAUSIBLE_TO = Date.UTC(2100, 0) / 1_000;
const UNITS = [
  ['seconds', 1],
  ['milliseconds', 1_000],
  ['microseconds', 1_000_000],
  ['nanoseconds', 1_000_000_000],
] as const;

const ISO = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s?([Zz]|[+-]\d{2}(?::?\d{2})?)?$/;

interface Kind {
  readonly step: Readonly<Record<string, string>>;
  readonly reason: string;
}

/** Where the time of an event is, the device's own before any other; undefined where the arrival must do. */
export function findTime(fields: readonly Field[]): Finding<unknown> | undefined {
  const ranked = [
    ...fields.filter((field) => NAMED.test(plainName(field))),
    ...fields.filter((field) => NAMED_LESS.test(plainName(field))),
  ].filter(({ share }) => share >= SHARE_MIN);
  for (const field of ranked) {
    const kind = kindOf(field.values.filter((value) => value !== undefined && value !== null));
    if (kind === undefined) continue;
    const value = { path: field.path, steps: [{ time: kind.step }] };
    const spec =
      field.share === 1
        ? value
        : { first: [value, { path: '$record.arrivalTime', steps: [{ time: { unit: 'milliseconds' } }] }] };
    const missing = field.share === 1 ? '' : '; where it is missing, the arrival counts';
    return { spec, reason: `\`${field.path}\` ${kind.reason}${missing}`, uses: [field] };
  }
  return undefined;
}

function kindOf(values: readonly unknown[]): Kind | undefined {
  return epochKind(values.map(Number)) ?? isoKind(values);
}

function epochKind(values: readonly number[]): Kind | undefined {
  for (const [unit, perSecond] of UNITS) {
    const isPlausible = (value: number) =>
      value >= PLAUSIBLE_FROM * perSecond && value <= PLAUSIBLE_TO * perSecond;
    if (!values.every(isPlausible)) continue;
    const isRising = values.every((value, index) => index === 0 || value >= (values[index - 1] ?? 0));
    const magnitude = (values[0] ?? 0).toExponential(1).replace('e+', 'e');
    const course = values.length > 1 && isRising ? ' rising' : '';
    return { step: { unit }, reason: `looks like epoch ${unit}: ${magnitude}${course}` };
  }
  return undefined;
}

function isoKind(values: readonly unknown[]): Kind | undefined {
  const matches = values.map((value) => (typeof value === 'string' ? ISO.exec(value) : null));
  if (matches.length === 0 || matches.some((match) => match === null)) return undefined;
  return matches.every((match) => match?.[1] !== undefined)
    ? { step: { unit: 'iso' }, reason: 'is ISO 8601 with an offset' }
    : {
        step: { unit: 'iso', offset: 'Z' },
        reason: 'is ISO 8601 without an offset: UTC is assumed, edit `offset` if it is local time',
      };
}
