import { type FleetSummary, getFleetSummary } from '@twinstream/api-contract';
import { isoTime } from '../device-json.ts';
import { endpoint, jsonAnswer } from '../endpoint.ts';
import { summarizeFleet } from '../fleet/fleet-summary.ts';

export const fleetSummaryEndpoint = endpoint(
  getFleetSummary,
  async ({ query: filter, getSignal }, services) => {
    const snapshot = await services.fleet.current(getSignal());
    const now = services.clock.now();
    const summary = summarizeFleet(snapshot.scan(filter, now), services.liveness);
    const { gapsAgeOutMs = null } = services;
    return jsonAnswer<FleetSummary>({
      ...summary,
      retired: snapshot.scan({ ...filter, retired: 'true' }, now).count,
      gapsAgeOutMs,
      lagMs: lagOf(snapshot.processedTime(), now),
      asOf: isoTime(snapshot.asOf),
    });
  },
);

function lagOf(processedTime: number | undefined, timeMs: number): number | null {
  return processedTime === undefined ? null : Math.max(0, timeMs - processedTime);
}
