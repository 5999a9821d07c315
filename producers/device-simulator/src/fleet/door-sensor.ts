import type { DeviceKind } from './device-kind.ts';

const DAY_MS = 86_400_000;
const BATTERY_DAYS = 400;

/** A door that opens now and then and is closed again soon, on a battery that is exchanged when it is empty. */
export const doorSensor: DeviceKind<'open' | 'openings' | 'batteryPercent'> = {
  name: 'door-sensor',
  firmwares: ['0.9.7', '1.0.0', '1.0.3'],
  fields: ['open', 'openings', 'batteryPercent'],
  begin: (_site, draws) => ({
    open: 0,
    openings: draws.below(5_000),
    batteryPercent: draws.between(15, 100),
  }),
  advance(state, elapsedMs, _site, draws) {
    const wasOpen = state.open === 1;
    const isOpen = draws.chance(wasOpen ? 0.35 : 0.2);
    if (isOpen && !wasOpen) state.openings += 1;
    state.open = isOpen ? 1 : 0;
    state.batteryPercent -= (100 * elapsedMs) / (BATTERY_DAYS * DAY_MS);
    if (state.batteryPercent < 1) state.batteryPercent = 100;
  },
  report: (state) => ({
    open: state.open === 1,
    openings: state.openings,
    batteryPercent: Math.round(state.batteryPercent),
  }),
};
