import { readWholeNumber } from '@twinstream/command-line';
import { isEventTime } from '@twinstream/device-model';
import { parseDurationMs } from '@twinstream/runtime';
import { z } from 'zod';
import { KIND_NAMES, type KindMix } from '../fleet/kind-mix.ts';
import type { Skew } from '../fleet/turn-order.ts';
import type { Burst } from '../schedule/load-profile.ts';

/** A setting written as text (on the command line) or as text or a number (in a scenario). `what` completes "must be …". */
function written<T>(what: string, read: (text: string) => T | undefined) {
  const error = `must be ${what}`;
  return z.union([z.string(), z.number()], { error }).transform((value, context): T => {
    const result = read(String(value).trim());
    if (result !== undefined) return result;
    context.addIssue({ code: 'custom', message: `${error}, not ${JSON.stringify(value)}` });
    return z.NEVER;
  });
}

const DECIMAL = /^\d+(?:\.\d+)?$/;

/** A whole number; `1_000_000` and `1,000,000` are read too. */
export const wholeNumber = (min: number, max: number) =>
  written(`a whole number from ${min} to ${max}`, (text) => readWholeNumber(text, min, max));

/** A positive number, or `max`. */
export const numberOrMax = (what: string) =>
  written(`${what} above 0, or max`, (text) => {
    if (text === 'max') return 'max' as const;
    const value = DECIMAL.test(text) ? Number(text) : 0;
    return value > 0 ? value : undefined;
  });

/** A percentage, with or without its sign, as a share from 0 to 1. */
export const percentage = written('a percentage from 0 to 100', (text) => {
  const bare = text.endsWith('%') ? text.slice(0, -1).trim() : text;
  const value = DECIMAL.test(bare) ? Number(bare) : Number.NaN;
  return value >= 0 && value <= 100 ? value / 100 : undefined;
});

/** A share from 0 to 1, as samplers of traces have it. */
export const ratio = written('a ratio from 0 to 1', (text) => {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return value >= 0 && value <= 1 ? value : undefined;
});

const DURATION_FORMS = 'a duration above 0 such as 500ms, 60s, 5m, 2h or PT2H';

/** A duration as whole milliseconds, 1 or more. */
export const duration = written(DURATION_FORMS, positiveMs);

/** A duration, or `never`, which is Infinity. */
export const durationOrNever = written(`${DURATION_FORMS}, or never`, (text) =>
  text === 'never' ? Number.POSITIVE_INFINITY : positiveMs(text),
);

function positiveMs(text: string): number | undefined {
  try {
    const ms = Math.round(parseDurationMs(text));
    return ms >= 1 && Number.isSafeInteger(ms) ? ms : undefined;
  } catch {
    return undefined;
  }
}

/** A moment, or `now`. */
export const moment = written('ISO 8601 with an offset, or now', (text) => {
  if (text === 'now') return 'now' as const;
  return isEventTime(text) ? Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2')) : undefined;
});

/** `5:10s:1m`: five times the rate for 10 s of every minute. */
export const burst = written(
  'FACTOR:LENGTH:EVERY such as 5:10s:1m, a factor above 0 and the length below the period',
  (text): Burst | undefined => {
    const [factorText = '', length = '', every = '', ...more] = text.split(':');
    const factor = DECIMAL.test(factorText.replace(/x$/, '')) ? Number.parseFloat(factorText) : 0;
    const lengthMs = positiveMs(length);
    const everyMs = positiveMs(every);
    if (factor <= 0 || lengthMs === undefined || everyMs === undefined || more.length > 0) return undefined;
    return lengthMs < everyMs ? { factor, lengthMs, everyMs } : undefined;
  },
);

/** Leaves a margin in a device id for kind and number. */
const PREFIX_CHARACTERS_MAX = 64;
/** Needs no escapes in JSON: events of a fleet are written without. */
const PREFIX = /^[A-Za-z0-9._:-]+$/;

export const devicePrefix = written(`1 to ${PREFIX_CHARACTERS_MAX} of A-Z a-z 0-9 . _ : -`, (text) =>
  PREFIX.test(text) && text.length <= PREFIX_CHARACTERS_MAX ? text : undefined,
);

const EXPONENT_MAX = 10;

export const skew = written(
  `even, or zipf:S with S above 0 and at most ${EXPONENT_MAX}`,
  (text): Skew | undefined => {
    if (text === 'even') return { kind: 'even' };
    const [name, exponentText = '', ...more] = text.split(':');
    const exponent = DECIMAL.test(exponentText) ? Number(exponentText) : 0;
    const isZipf = name === 'zipf' && more.length === 0 && exponent > 0 && exponent <= EXPONENT_MAX;
    return isZipf ? { kind: 'zipf', exponent } : undefined;
  },
);

const KINDS_FORM = `kinds with weights such as ${KIND_NAMES.slice(0, 2).join('=60,')}=40; there are ${KIND_NAMES.join(', ')}`;

/** `thermostat=60,vehicle=40` on the command line, a mapping in a scenario. */
export const kindMix = z.union(
  [
    written(KINDS_FORM, (text): KindMix | undefined => {
      const entries = text.split(',').map((part) => part.split('='));
      return entries.every((entry) => entry.length <= 2)
        ? mixOf(entries.map(([name = '', weight = '1']) => [name.trim(), Number(weight)]))
        : undefined;
    }),
    z.record(z.string(), z.number()).transform((weights, context): KindMix => {
      const mix = mixOf(Object.entries(weights));
      if (mix !== undefined) return mix;
      context.addIssue({ code: 'custom', message: `must be ${KINDS_FORM}` });
      return z.NEVER;
    }),
  ],
  { error: `must be ${KINDS_FORM}` },
);

function mixOf(entries: readonly (readonly [string, number])[]): KindMix | undefined {
  const isMix =
    entries.every(([name, weight]) => KIND_NAMES.includes(name) && Number.isFinite(weight) && weight >= 0) &&
    entries.some(([, weight]) => weight > 0);
  return isMix ? Object.fromEntries(entries) : undefined;
}
