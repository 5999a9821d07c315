import type { DeviceJson } from '@twinstream/api-contract';
import { expect, test } from 'vitest';
import { isInOrder } from '../../src/model/fleet-order.ts';
import { attributeSort, type FleetQuery } from '../../src/model/fleet-query.ts';
import { simulatedFleet } from '../simulated-fleet.ts';

const [device] = simulatedFleet(1).devices.values();
if (device === undefined) throw new Error('no device');

const withValues = (...values: readonly (number | string | undefined)[]): DeviceJson[] =>
  values.map((value) => ({ ...device, attributes: value === undefined ? {} : { battery: value } }));
const by = (order: 'asc' | 'desc'): FleetQuery => ({ sort: attributeSort('battery'), order });

test.each([
  ['numbers that rise', withValues(1, 2, 2, 10), 'asc', true],
  ['numbers that fall', withValues(10, 2, 1), 'desc', true],
  ['a number that has changed', withValues(1, 12, 10), 'asc', false],
  ['devices without the attribute last', withValues(1, 2, undefined), 'asc', true],
  ['devices without the attribute last, falling', withValues(2, 1, undefined, undefined), 'desc', true],
  ['a device that has lost the attribute', withValues(1, undefined, 2), 'asc', false],
] as const)('%s', (_, devices, order, expected) => {
  expect(isInOrder(devices, by(order))).toBe(expected);
});

test('liveness goes from online to offline', () => {
  const of = (liveness: DeviceJson['liveness']): DeviceJson => ({ ...device, liveness });
  expect(isInOrder([of('online'), of('stale'), of('offline')], { sort: 'liveness' })).toBe(true);
  expect(isInOrder([of('offline'), of('stale')], { sort: 'liveness' })).toBe(false);
});
