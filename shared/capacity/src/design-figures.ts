import { ASSUMPTION_SOURCE } from './assumptions.ts';
import type { Batches } from './batches.ts';
import type { Design } from './design.ts';
import { type CapacityFigure, figure, readable } from './figure.ts';
import { priceFigures } from './price-figures.ts';
import { PROJECTING_SPEED_SOURCE } from './projecting-speed.ts';
import type { CompleteWorkload } from './workload.ts';

/** What a design takes and costs for a workload. */
export function designFigures(workload: CompleteWorkload, batches: Batches, design: Design) {
  return [...workFigures(batches, design), ...priceFigures(workload, batches, design)];
}

function workFigures({ eventsPerSecond }: Batches, design: Design): CapacityFigure[] {
  return [
    figure(
      'eventsPerPage',
      'events of a page',
      design.eventsPerPage,
      'events',
      design.eventsPerPageFormula,
      design.eventsPerPageSource,
    ),
    figure(
      'readableAfterSeconds',
      'intended send to readable, at most',
      design.readableAfterSeconds,
      's',
      'linger + delay until the poll + poll + window + invocation, with no queue',
      `${ASSUMPTION_SOURCE}; ${PROJECTING_SPEED_SOURCE}`,
    ),
    figure(
      'writeUnitsPerEvent',
      'write units',
      design.unitsPerEvent,
      'write units/event',
      design.unitsFormula,
      design.unitsSource,
    ),
    figure(
      'writeUnitsPerSecond',
      'write units',
      design.unitsPerEvent * eventsPerSecond,
      'write units/s',
      'units of an event × events',
      design.unitsSource,
    ),
    figure(
      'headMissShare',
      'devices of a batch whose state is read',
      design.headMissShare,
      'share',
      design.headMissFormula,
      `${ASSUMPTION_SOURCE}; shared/capacity/src/heads.ts`,
    ),
    figure(
      'projectorCores',
      'vCPUs busy projecting',
      eventsPerSecond / design.eventsPerCore,
      'vCPU',
      `events / ${readable(design.eventsPerCore)} a vCPU`,
      PROJECTING_SPEED_SOURCE,
    ),
  ];
}
