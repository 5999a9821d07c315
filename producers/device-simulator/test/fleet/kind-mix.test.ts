import { expect, test } from 'vitest';
import { DEVICE_KINDS, kindOfDevice } from '../../src/fleet/kind-mix.ts';

const shareOf = (name: string, of: (device: number) => number, from: number, to: number): number => {
  let count = 0;
  for (let device = from; device < to; device += 1) if (DEVICE_KINDS[of(device)]?.name === name) count += 1;
  return count / (to - from);
};

test('any stretch of a fleet has the mix that was asked for', () => {
  const of = kindOfDevice({ thermostat: 3, vehicle: 1 });
  for (const [from, to] of [
    [0, 100],
    [1_000, 1_200],
    [900_000, 1_000_000],
  ] as const) {
    expect(shareOf('thermostat', of, from, to)).toBeCloseTo(0.75, 1);
    expect(shareOf('vehicle', of, from, to)).toBeCloseTo(0.25, 1);
  }
});

test('kinds without weight do not occur', () => {
  const of = kindOfDevice({ meter: 1, vehicle: 0 });
  expect(shareOf('meter', of, 0, 10_000)).toBe(1);
});

test('a mix without any weight is refused', () => {
  expect(() => kindOfDevice({ meter: 0 })).toThrow(RangeError);
});
