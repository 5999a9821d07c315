import { type FleetSummary, getFleetSummary } from '@twinstream/api-contract';
import { isoTime } from '../device-json.ts';
import { endpoint, jsonAnswer } from '../endpoint.ts';
import { summarizeFleet } from '../fleet/fleet-summary.ts';

export const fleetSummaryEndpoint = endpoint(
  getFleetSummary,
  async ({ query: filter, getSignal }, services) => {
    const snapshot = await services.fleet.current(getSignal());
    const summary = summarizeFleet(snapshot, filter, services.liveness, services.clock.now());
    return jsonAnswer<FleetSummary>({ ...summary, asOf: isoTime(snapshot.asOf) });
  },
);
