import type { EventJson } from '@twinstream/api-contract';
import type { JsonObject, JsonValue } from '@twinstream/device-model';
import { isCorrection } from './event.ts';

/** Degrees. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

const LATITUDES = ['latitude', 'lat'];
const LONGITUDES = ['longitude', 'lon', 'lng'];

/** A number, also one that is held as the text of its digits. */
function numberOf(value: JsonValue | undefined): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

function firstNumber(attributes: JsonObject, names: readonly string[]): number | undefined {
  for (const name of names) {
    const number = Object.hasOwn(attributes, name) ? numberOf(attributes[name]) : undefined;
    if (number !== undefined) return number;
  }
  return undefined;
}

function positionIn(object: JsonObject): Position | undefined {
  const latitude = firstNumber(object, LATITUDES);
  const longitude = firstNumber(object, LONGITUDES);
  if (latitude === undefined || longitude === undefined) return undefined;
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : undefined;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Where a device is: its attributes `latitude` and `longitude` (`lat`, `lon`, `lng`), or such members of one of its
 * attributes. Undefined where it has none.
 */
export function positionOf(attributes: JsonObject): Position | undefined {
  const own = positionIn(attributes);
  if (own !== undefined) return own;
  for (const value of Object.values(attributes)) {
    if (!isObject(value)) continue;
    const inner = positionIn(value);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

export interface TrackPoint extends Position {
  /** Milliseconds since 1970, by the axis asked for. */
  readonly timeMs: number;
}

/** Where a device was, by rising time. Corrections are left out: they have the time of what they correct. */
export function trackOf(
  events: readonly EventJson[],
  timeOf: (event: EventJson) => number,
): readonly TrackPoint[] {
  return events
    .flatMap((event) => {
      const position = isCorrection(event) ? undefined : positionOf(event.data ?? {});
      const timeMs = timeOf(event);
      return position === undefined || Number.isNaN(timeMs) ? [] : [{ ...position, timeMs }];
    })
    .sort((a, b) => a.timeMs - b.timeMs);
}

/** A projection on a plane for an area of some degrees: equal scales at its middle latitude (equirectangular). */
export interface Bounds {
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
}

/** Degrees that an area has at least, so that one position has an area, too: some 200 m. */
const DEGREES_MIN = 0.002;

export function boundsOf(positions: readonly Position[]): Bounds | undefined {
  if (positions.length === 0) return undefined;
  let [west, east, south, north] = [180, -180, 90, -90];
  for (const { latitude, longitude } of positions) {
    west = Math.min(west, longitude);
    east = Math.max(east, longitude);
    south = Math.min(south, latitude);
    north = Math.max(north, latitude);
  }
  const widen = (span: number): number => Math.max(0, DEGREES_MIN - span) / 2;
  const [byLongitude, byLatitude] = [widen(east - west), widen(north - south)];
  return {
    west: west - byLongitude,
    east: east + byLongitude,
    south: south - byLatitude,
    north: north + byLatitude,
  };
}

const STEPS = [1, 2, 5];

/** The smallest of 1, 2 and 5 times a power of ten that is at least so much. */
export function roundStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeast));
  return (STEPS.find((step) => step * power >= atLeast) ?? 10) * power;
}
