export type DesignName = 'twinstream' | 'ordinary';

/** Events a second of one vCPU, by events of a device in a batch. */
interface MeasuredSpeed extends Readonly<Record<DesignName, number>> {
  readonly eventsPerDevice: number;
}

/** README, "What is measured": `npm run bench -- state-projector`, 2026-11-23, over the SDK with the network stubbed out. */
const MEASURED: readonly MeasuredSpeed[] = [
  { eventsPerDevice: 1, twinstream: 6_140, ordinary: 2_438 },
  { eventsPerDevice: 10, twinstream: 23_916, ordinary: 2_195 },
  { eventsPerDevice: 25, twinstream: 57_544, ordinary: 2_161 },
];

export const PROJECTING_SPEED_SOURCE = 'README, "What is measured", state-projector, 2026-11-23';

/** Events a second that one vCPU projects, on the straight line between measured points; beyond the last, as there. */
export function eventsPerCore(design: DesignName, eventsPerDevice: number): number {
  let below = MEASURED[0];
  for (const above of MEASURED) {
    if (below !== undefined && eventsPerDevice <= above.eventsPerDevice) {
      const distance = above.eventsPerDevice - below.eventsPerDevice;
      const share = distance === 0 ? 0 : (eventsPerDevice - below.eventsPerDevice) / distance;
      return below[design] + Math.max(0, share) * (above[design] - below[design]);
    }
    below = above;
  }
  return below?.[design] ?? Number.NaN;
}
