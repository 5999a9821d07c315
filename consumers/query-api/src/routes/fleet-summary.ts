import { type FleetSummary, getFleetSummary } from '@twinstream/api-contract';
import { isoTime } from '../device-json.ts';
import { endpoint } from '../endpoint.ts';
import { taggedAnswer } from '../entity-tag.ts';
import { summarizeFleet } from '../fleet/fleet-summary.ts';
import { USUAL_LAG_MS } from '../liveness.ts';

export const fleetSummaryEndpoint = endpoint(
  getFleetSummary,
  async ({ query: filter, headers, getSignal }, services) => {
    const snapshot = await services.fleet.current(getSignal());
    const now = services.clock.now();
    const summary = summarizeFleet(snapshot.scan(filter, now), services.liveness);
    const { gapsAgeOutMs = null } = services;
    const lagMs = lagOf(snapshot.processedTime(), now);
    const asOf = isoTime(snapshot.asOf);
    const counts = {
      ...summary,
      retired: snapshot.scan({ ...filter, retired: 'true' }, now).count,
      gapsAgeOutMs,
    };
    const answer: FleetSummary = { ...counts, lagMs, asOf };
    // A lag that is usual changes with every record.
    const told = lagMs === null || lagMs <= USUAL_LAG_MS ? lagMs === null : lagMs;
    const content = JSON.stringify([filter, counts, told]);
    return taggedAnswer(headers['if-none-match'], { content, asOf, text: () => JSON.stringify(answer) });
  },
);

function lagOf(processedTime: number | undefined, timeMs: number): number | null {
  return processedTime === undefined ? null : Math.max(0, timeMs - processedTime);
}
