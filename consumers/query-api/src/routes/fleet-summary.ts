import { z } from 'zod';
import { isoTime } from '../device-json.ts';
import { endpoint, jsonAnswer, NO_PARAMETERS } from '../endpoint.ts';
import { FILTER_PARAMETERS } from '../fleet/fleet-filter.ts';
import { fleetSummarySchema, summarizeFleet } from '../fleet/fleet-summary.ts';

export const fleetSummaryEndpoint = endpoint(
  {
    method: 'get',
    path: '/v1/fleet/summary',
    operationId: 'getFleetSummary',
    summary: 'Counts of the fleet, or of those devices that meet a filter',
    scope: 'read',
    params: NO_PARAMETERS,
    query: z.strictObject(FILTER_PARAMETERS),
    answers: { 200: { description: 'The counts, and how fresh they are.', schema: fleetSummarySchema } },
  },
  async ({ query: filter, getSignal }, services) => {
    const snapshot = await services.fleet.current(getSignal());
    const summary = summarizeFleet(snapshot.rows, filter, services.liveness, services.clock.now());
    return jsonAnswer({ ...summary, asOf: isoTime(snapshot.asOf) });
  },
);
