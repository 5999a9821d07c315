export type DesignName = 'twinstream' | 'baseline';

/** Events a second of one vCPU, by events of a device in a batch. */
interface MeasuredSpeed extends Readonly<Record<DesignName, number>> {
  readonly eventsPerDevice: number;
}

/** docs/measurements.md: `npm run bench -- state-projector`, 2026-11-27, with the network stubbed out. */
export const MEASURED_SPEEDS: readonly MeasuredSpeed[] = [
  { eventsPerDevice: 1, twinstream: 7_549, baseline: 1_570 },
  { eventsPerDevice: 10, twinstream: 52_151, baseline: 2_208 },
  { eventsPerDevice: 25, twinstream: 66_596, baseline: 2_004 },
];

export const PROJECTING_SPEED_SOURCE = 'docs/measurements.md, state-projector, 2026-11-27';

/** Events a second that one vCPU projects, on the straight line between measured points; beyond the last, as there. */
export function eventsPerCore(design: DesignName, eventsPerDevice: number): number {
  let below = MEASURED_SPEEDS[0];
  for (const above of MEASURED_SPEEDS) {
    if (below !== undefined && eventsPerDevice <= above.eventsPerDevice) {
      const distance = above.eventsPerDevice - below.eventsPerDevice;
      const share = distance === 0 ? 0 : (eventsPerDevice - below.eventsPerDevice) / distance;
      return below[design] + Math.max(0, share) * (above[design] - below[design]);
    }
    below = above;
  }
  return below?.[design] ?? Number.NaN;
}
