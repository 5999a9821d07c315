import { PROJECTOR_OPTIONS, type ProjectorOptions } from '@twinstream/state-projector';
import type { Scenario } from './scenario.ts';

/** The projector of a world: as in production, but for limits that are tiny. */
export function projectorOptions(scenario: Scenario): ProjectorOptions {
  const { eventsPerPageMax: eventsMax, sessionsMax, rangesMax, correctionsMax, marksMax } = scenario;
  const { attributeNameBytesMax } = scenario;
  const receipts = { sessionsMax, rangesMax, correctionsMax, marksMax, attributeNameBytesMax };
  return {
    ...PROJECTOR_OPTIONS,
    headsMax: scenario.headsMax,
    pagesPerSnapshot: scenario.pagesPerSnapshot,
    parallelizationFactor: scenario.parallelizationFactor,
    pageLimits: { eventsMax, charactersMax: 100_000, receipts },
  };
}
