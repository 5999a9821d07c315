import { CodedError } from '@twinstream/runtime';
import { MIXED_AGGREGATES } from '@twinstream/stream-producer';
import { z } from 'zod';
import { SEED_MAX } from '../fleet/draws.ts';
import { FLEET_DEVICES_MAX } from '../fleet/fleet.ts';
import { isOffset } from '../recording/recorded-time.ts';
import {
  burst,
  devicePrefix,
  duration,
  durationOrNever,
  kindMix,
  moment,
  numberOrMax,
  percentage,
  ratio,
  skew,
  wholeNumber,
} from './setting-values.ts';

const columnName = z
  .string({ error: 'must be the name of a column' })
  .trim()
  .min(1, 'must be the name of a column');
const anyText = z.string({ error: 'must be text' }).min(1, 'must not be empty');

/** Settings of a simulated fleet. */
const fleetSettings = {
  devices: wholeNumber(1, FLEET_DEVICES_MAX),
  devicePrefix,
  kinds: kindMix,
  skew,
  startTime: moment,
  outageEvery: durationOrNever,
  outageLasts: duration,
  rebootEvery: durationOrNever,
  firmwareEvery: durationOrNever,
  clockSkew: percentage,
};

/** Settings of a recording. */
const recordingSettings = {
  input: anyText,
  raw: columnName,
  idColumn: columnName,
  timeColumn: columnName,
  typeColumn: columnName,
  sessionColumn: columnName,
  counterColumn: columnName,
  order: z.enum(['time', 'file'], { error: 'must be time or file' }),
  speed: numberOrMax('a number'),
  utcOffset: z
    .string({ error: 'must be an offset' })
    .refine(isOffset, 'must be an offset such as Z or -05:00'),
};

/** Settings of the load, of faults and of delivery. */
const sharedSettings = {
  rate: numberOrMax('events per second'),
  ramp: duration,
  burst,
  duration,
  count: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  maxDelay: durationOrNever,
  seed: wholeNumber(0, SEED_MAX),
  session: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  duplicates: percentage,
  outOfOrder: percentage,
  late: percentage,
  drop: percentage,
  malformed: percentage,
  traceRatio: ratio,
  stream: anyText,
  aggregate: z.boolean({ error: 'must be true or false' }),
  mixedAggregates: z.enum(MIXED_AGGREGATES, { error: `must be one of ${MIXED_AGGREGATES.join(', ')}` }),
  linger: duration,
  deadline: duration,
};

const settingsSchema = z
  .strictObject({ ...fleetSettings, ...recordingSettings, ...sharedSettings })
  .partial();

/** What a run can be told. Each has the name of its flag, and the same name in a scenario. */
export type Settings = z.infer<typeof settingsSchema>;
export type SettingName = keyof Settings;

export const FLEET_SETTINGS = Object.keys(fleetSettings) as readonly SettingName[];
export const RECORDING_SETTINGS = Object.keys(recordingSettings) as readonly SettingName[];

/** `outOfOrder` as a flag: `--out-of-order`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * Reads settings as they are written. Throws `INVALID_USAGE` naming every faulty one and what it should be; `nameOf`
 * says what a setting is called where it was written.
 */
export function readSettings(
  given: Readonly<Record<string, unknown>>,
  nameOf: (setting: string) => string,
): Settings {
  const result = settingsSchema.safeParse(given);
  if (result.success) return result.data;
  const faults = result.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => `${nameOf(key)}: there is no such setting`)
      : [`${nameOf(String(issue.path[0] ?? ''))}: ${issue.message}`],
  );
  throw new CodedError('INVALID_USAGE', faults.join('\n'));
}
