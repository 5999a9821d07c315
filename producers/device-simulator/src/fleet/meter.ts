import { clamped, type DeviceKind, rounded } from './device-kind.ts';

const HOUR_MS = 3_600_000;
const NOMINAL_V = 230;

/** An electricity meter: power wanders and jumps when something is switched on, energy only grows. */
export const meter: DeviceKind<'energyKwh' | 'powerW' | 'voltageV'> = {
  name: 'meter',
  firmwares: ['1.8.2', '1.9.0', '2.0.0'],
  fields: ['energyKwh', 'powerW', 'voltageV'],
  begin: (_site, draws) => ({
    energyKwh: draws.between(100, 40_000),
    powerW: draws.between(60, 900),
    voltageV: draws.between(227, 233),
  }),
  advance(state, elapsedMs, _site, draws) {
    state.energyKwh += (state.powerW / 1_000) * (elapsedMs / HOUR_MS);
    const switched = draws.chance(0.03);
    state.powerW = switched
      ? draws.between(60, 7_000)
      : clamped(state.powerW * (1 + draws.around(0.05)), 20, 11_000);
    state.voltageV = state.voltageV + (NOMINAL_V - state.voltageV) / 20 + draws.around(0.6);
  },
  report: (state) => ({
    energyKwh: rounded(state.energyKwh, 3),
    powerW: Math.round(state.powerW),
    voltageV: rounded(state.voltageV, 1),
  }),
};
