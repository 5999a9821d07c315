import type { DeviceKind } from './device-kind.ts';
import { doorSensor } from './door-sensor.ts';
import { meter } from './meter.ts';
import { thermostat } from './thermostat.ts';
import { vehicle } from './vehicle.ts';

/** Every kind of device there is. */
export const DEVICE_KINDS: readonly DeviceKind[] = [thermostat, vehicle, meter, doorSensor];

export const KIND_NAMES: readonly string[] = DEVICE_KINDS.map((kind) => kind.name);

/** Weights of the kinds in a fleet, by name; what is not named has none. */
export type KindMix = Readonly<Record<string, number>>;

export const DEFAULT_KIND_MIX: KindMix = { thermostat: 40, vehicle: 25, meter: 25, 'door-sensor': 10 };

const GOLDEN_RATIO_FRACTION = 0.618033988749895;

/**
 * The kind of each device by its number, which is all it depends on: a device keeps its name over runs and seeds. The
 * multiples of the golden ratio spread the kinds evenly over any stretch of numbers. Throws RangeError when no kind
 * has weight.
 */
export function kindOfDevice(mix: KindMix): (device: number) => number {
  const weights = DEVICE_KINDS.map((kind) => mix[kind.name] ?? 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0)) throw new RangeError('a fleet needs a kind of device with weight');
  let sum = 0;
  const ends = weights.map((weight) => {
    sum += weight;
    return sum / total;
  });
  const last = weights.findLastIndex((weight) => weight > 0);
  return (device) => {
    const place = (device * GOLDEN_RATIO_FRACTION) % 1;
    const index = ends.findIndex((end) => place < end);
    return index === -1 ? last : index;
  };
}
