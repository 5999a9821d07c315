import type { JsonValue } from '@twinstream/device-model';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A count with its thousands apart: `45,386`. */
export function countText(count: number): string {
  return whole.format(count);
}

/** A rate per second: one decimal below 100. */
export function rateText(perSecond: number): string {
  return perSecond < 99.95 ? perSecond.toFixed(1) : whole.format(perSecond);
}

/** Significant digits of a number shown in passing; the raw JSON holds the rest. */
const DIGITS = 7;

/** A value on one line. Numbers are rounded to seven digits; arrays and objects are JSON. */
export function valueText(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') {
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(DIGITS)));
  }
  return JSON.stringify(value);
}

/** Attributes on one line, labels left out since they have columns of their own. */
export function attributesText(
  attributes: Readonly<Record<string, JsonValue>>,
  leftOut: readonly string[],
  charactersMax: number,
): string {
  let text = '';
  for (const [name, value] of Object.entries(attributes)) {
    if (leftOut.includes(name)) continue;
    const part = `${name} ${valueText(value)}`;
    text = text === '' ? part : `${text} · ${part}`;
    if (text.length >= charactersMax) return `${text.slice(0, charactersMax - 1)}…`;
  }
  return text;
}
