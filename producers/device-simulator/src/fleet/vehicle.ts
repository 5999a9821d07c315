import { clamped, type DeviceKind, rounded } from './device-kind.ts';

const HOUR_MS = 3_600_000;
/** The way of a silent vehicle is unknown: it is taken to have driven on no longer than this. */
const DRIVEN_MS_MAX = 120_000;
const KM_PER_DEGREE = 111.32;
/** Half the side of the square around its site that a vehicle keeps to. */
const TERRITORY_DEGREES = 0.25;
const RADIANS = Math.PI / 180;
const KM_PER_TANK = 500;
const REFUEL_BELOW_PERCENT = 6;

/** Stop and go inside a town: speed and heading wander, fuel is used up and filled again. */
export const vehicle: DeviceKind<'latitude' | 'longitude' | 'speedKmh' | 'headingDegrees' | 'fuelPercent'> = {
  name: 'vehicle',
  firmwares: ['12.0', '12.1', '12.3', '13.0'],
  fields: ['latitude', 'longitude', 'speedKmh', 'headingDegrees', 'fuelPercent'],
  begin: (site, draws) => ({
    latitude: site.latitude + draws.around(TERRITORY_DEGREES),
    longitude: site.longitude + draws.around(TERRITORY_DEGREES),
    speedKmh: draws.between(0, 50),
    headingDegrees: draws.below(360),
    fuelPercent: draws.between(20, 100),
  }),
  advance(state, elapsedMs, site, draws) {
    const km = (state.speedKmh * Math.min(elapsedMs, DRIVEN_MS_MAX)) / HOUR_MS;
    const heading = state.headingDegrees * RADIANS;
    state.latitude += (km * Math.cos(heading)) / KM_PER_DEGREE;
    state.longitude += (km * Math.sin(heading)) / (KM_PER_DEGREE * Math.cos(site.latitude * RADIANS));
    state.fuelPercent -= (100 * km) / KM_PER_TANK;
    if (state.fuelPercent < REFUEL_BELOW_PERCENT) state.fuelPercent = 100;
    const north = state.latitude - site.latitude;
    const east = state.longitude - site.longitude;
    const hasLeft = Math.max(Math.abs(north), Math.abs(east)) > TERRITORY_DEGREES;
    const course = hasLeft ? Math.atan2(-east, -north) / RADIANS : state.headingDegrees + draws.around(40);
    state.headingDegrees = ((course % 360) + 360) % 360;
    const stops = draws.chance(0.12);
    state.speedKmh = stops ? 0 : clamped(state.speedKmh + draws.around(18) + 2, 4, 90);
  },
  report: (state) => ({
    latitude: rounded(state.latitude, 5),
    longitude: rounded(state.longitude, 5),
    speedKmh: rounded(state.speedKmh, 1),
    headingDegrees: Math.round(state.headingDegrees) % 360,
    fuelPercent: Math.round(state.fuelPercent),
  }),
};
