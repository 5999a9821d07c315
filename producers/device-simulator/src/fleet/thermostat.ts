import { clamped, type DeviceKind, rounded } from './device-kind.ts';

const MINUTE_MS = 60_000;
/** A room is taken to be settled after this time without a report. */
const SETTLED_AFTER_MINUTES = 30;
const WARMING_PER_MINUTE = 0.12;
const COOLING_PER_MINUTE = 0.05;
/** Heating starts and stops this far from the target. */
const HYSTERESIS = 0.4;

/** A room that cools, a heater with hysteresis, and people who turn the target up and down. */
export const thermostat: DeviceKind<'temperatureC' | 'targetC' | 'humidityPercent' | 'heating'> = {
  name: 'thermostat',
  firmwares: ['3.1.0', '3.1.4', '3.2.0', '4.0.1'],
  fields: ['temperatureC', 'targetC', 'humidityPercent', 'heating'],
  begin: (_site, draws) => ({
    temperatureC: draws.between(17, 23),
    targetC: 18 + draws.below(9) / 2,
    humidityPercent: draws.between(35, 60),
    heating: 0,
  }),
  advance(state, elapsedMs, _site, draws) {
    const minutes = Math.min(elapsedMs / MINUTE_MS, SETTLED_AFTER_MINUTES);
    // A random walk: its spread grows with the root of time, however often the device reports.
    const wander = Math.sqrt(minutes);
    if (draws.chance(0.01)) state.targetC = 17 + draws.below(13) / 2;
    const drift = state.heating === 1 ? WARMING_PER_MINUTE : -COOLING_PER_MINUTE;
    state.temperatureC = clamped(state.temperatureC + drift * minutes + draws.around(0.2) * wander, 5, 35);
    state.humidityPercent = clamped(state.humidityPercent + draws.around(2) * wander, 20, 80);
    if (state.temperatureC < state.targetC - HYSTERESIS) state.heating = 1;
    if (state.temperatureC > state.targetC + HYSTERESIS) state.heating = 0;
  },
  report: (state) => ({
    temperatureC: rounded(state.temperatureC, 1),
    targetC: state.targetC,
    humidityPercent: Math.round(state.humidityPercent),
    heating: state.heating === 1,
  }),
};
