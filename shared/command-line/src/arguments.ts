import { parseDurationMs } from '@twinstream/runtime';
import { InvalidArgumentError, Option } from 'commander';

const WHOLE = /^\d+(?:[_,]\d{3})*$/;

/** A whole number within bounds; `1_000_000` and `1,000,000` are read too. Undefined for any other text. */
export function readWholeNumber(text: string, min: number, max: number): number | undefined {
  const value = WHOLE.test(text) ? Number(text.replace(/[_,]/g, '')) : Number.NaN;
  return Number.isSafeInteger(value) && value >= min && value <= max ? value : undefined;
}

/** Parser of a flag that takes a whole number. */
export function wholeNumber(min: number, max: number) {
  return (text: string): number => {
    const value = readWholeNumber(text, min, max);
    if (value !== undefined) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** Parser of a flag that takes a number, such as a share. */
export function numberWithin(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };
}

/** Parser of a flag that takes a duration; milliseconds. */
export function duration(minMs: number, maxMs: number) {
  return parsedBy((text) => {
    const ms = parseDurationMs(text);
    if (ms >= minMs && ms <= maxMs) return ms;
    throw new RangeError(`It must be a duration from ${flagText(minMs)} to ${flagText(maxMs)}.`);
  });
}

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** A duration as it is written in a flag, in the largest unit that it is a whole number of: `24h`, `90s`, `200ms`. */
function flagText(ms: number): string {
  const [unit, unitMs] =
    UNITS.find(([, each]) => ms > 0 && ms % each === 0) ?? (ms === 0 ? ['s', 1] : ['ms', 1]);
  return `${ms / unitMs}${unit}`;
}

/** A flag that takes a duration and has a default, which help shows as it would be written. */
export function durationOption(
  flag: string,
  description: string,
  { minMs, maxMs, defaultMs }: { readonly minMs: number; readonly maxMs: number; readonly defaultMs: number },
): Option {
  return new Option(`${flag} <duration>`, description)
    .argParser(duration(minMs, maxMs))
    .default(defaultMs, flagText(defaultMs));
}

/** Parser of a flag that `read` reads, whose errors are told as those of the flag. */
export function parsedBy<Value>(read: (text: string) => Value): (text: string) => Value {
  return (text) => {
    try {
      return read(text);
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
  };
}

/** Gathers a flag that may be given several times. */
export function repeatable(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

const OUTPUT_FORMATS = ['table', 'json', 'ndjson'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** `--output`: for people; as one document of JSON; or as a line of JSON for each item of a list, where there is one. */
export function outputOption(): Option {
  return new Option(
    '--output <format>',
    'format of standard output; ndjson is a line of JSON for each item of a list',
  )
    .choices(OUTPUT_FORMATS)
    .default('table');
}
