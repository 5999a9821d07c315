import { readEvent } from '@twinstream/device-model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FIELDS_MAX } from '../../src/fleet/device-kind.ts';
import { seededDraws } from '../../src/fleet/draws.ts';
import { DEVICE_KINDS } from '../../src/fleet/kind-mix.ts';
import { SITES } from '../../src/fleet/site.ts';

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  temperatureC: [5, 35],
  targetC: [17, 23],
  humidityPercent: [20, 80],
  latitude: [-90, 90],
  longitude: [-180, 180],
  speedKmh: [0, 90],
  headingDegrees: [0, 359],
  fuelPercent: [0, 100],
  energyKwh: [0, Number.MAX_VALUE],
  powerW: [0, 11_000],
  voltageV: [200, 260],
  openings: [0, Number.MAX_VALUE],
  batteryPercent: [0, 100],
};

describe.each(DEVICE_KINDS)('a $name', (kind) => {
  test('keeps no more numbers than a fleet has columns for', () => {
    expect(kind.fields.length).toBeLessThanOrEqual(FIELDS_MAX);
    expect(kind.firmwares.length).toBeGreaterThan(1);
  });

  test('reports what can be an event, within the ranges of its sensors, however long it is silent', () => {
    const elapsed = fc.array(fc.integer({ min: 0, max: 86_400_000 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fc.nat(), fc.nat(SITES.length - 1), elapsed, (seed, siteIndex, silences) => {
        const site = SITES[siteIndex];
        if (site === undefined) throw new Error('no site');
        const draws = seededDraws(seed, 1);
        const state = { ...kind.begin(site, draws) };
        for (const elapsedMs of silences) {
          kind.advance(state, elapsedMs, site, draws);
          const data = kind.report(state);
          const event = { v: 1, deviceId: 'd', type: 'reported', time: '2026-01-01T00:00:00.000Z', data };
          expect(readEvent(event)).not.toHaveProperty('rejected');
          for (const [name, value] of Object.entries(data)) {
            const [min, max] = RANGES[name] ?? [0, 1];
            expect(Number(value), name).toBeGreaterThanOrEqual(min);
            expect(Number(value), name).toBeLessThanOrEqual(max);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test('is not always the same', () => {
    const [site] = SITES;
    if (site === undefined) throw new Error('no site');
    const draws = seededDraws(5, 1);
    const state = { ...kind.begin(site, draws) };
    const reports = new Set<string>();
    for (let i = 0; i < 200; i += 1) {
      kind.advance(state, 60_000, site, draws);
      reports.add(JSON.stringify(kind.report(state)));
    }
    expect(reports.size).toBeGreaterThan(3);
  });
});
