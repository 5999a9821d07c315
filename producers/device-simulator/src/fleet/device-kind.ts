import type { JsonObject } from '@twinstream/device-model';
import type { Draws } from './draws.ts';
import type { Site } from './site.ts';

/** Numbers that one device keeps between two reports. A fleet holds them in columns: eight bytes each, no object per device. */
export const FIELDS_MAX = 5;

/** How the devices of one kind behave. `Field` names the numbers that each of them keeps. */
export interface DeviceKind<Field extends string = string> {
  readonly name: string;
  /** Versions in the order in which devices get them. */
  readonly firmwares: readonly string[];
  /** At most {@link FIELDS_MAX}. */
  readonly fields: readonly Field[];
  /** What a device is like when it is switched on for the first time. */
  begin(site: Site, draws: Draws): Readonly<Record<Field, number>>;
  /** Lets `elapsedMs` of the device's time pass. */
  advance(state: Record<Field, number>, elapsedMs: number, site: Site, draws: Draws): void;
  /** The attributes that a device reports. */
  report(state: Readonly<Record<Field, number>>): JsonObject;
}

/** `value` with this number of decimals, as sensors report it. */
export function rounded(value: number, decimals: number): number {
  const scale = 10 ** decimals;
  return Math.round(value * scale) / scale;
}

export function clamped(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
