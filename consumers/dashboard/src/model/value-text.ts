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

/** A value on one line: numbers to seven digits, objects and arrays member by member, and as JSON where they are nested. */
export function valueText(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') {
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(DIGITS)));
  }
  if (typeof value !== 'object' || value === null) return String(value);
  if (Object.values(value).some((member) => typeof member === 'object' && member !== null)) {
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  return Object.entries(value)
    .map(([name, member]) => `${name} ${valueText(member)}`)
    .join(', ');
}
