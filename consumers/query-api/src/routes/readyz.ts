import { getReadiness, type Readiness } from '@twinstream/api-contract';
import { isoTime } from '../device-json.ts';
import { endpoint, jsonAnswer } from '../endpoint.ts';
import { problemResponse } from '../problem.ts';

/**
 * Says that the fleet can be answered as it is now: it has been read, and what came meanwhile has been caught up with. Until then,
 * and while it cannot be read, it answers with 503.
 */
export const readinessEndpoint = endpoint(getReadiness, async ({ getSignal }, { fleet }) => {
  const { asOf, hasCaughtUp } = await fleet.current(getSignal());
  if (hasCaughtUp) return jsonAnswer<Readiness>({ status: 'ready', asOf: isoTime(asOf) });
  const detail = `the fleet is as of ${isoTime(asOf)}, and what has come since is being read`;
  return problemResponse('UNAVAILABLE', { detail, headers: { 'retry-after': '1' } });
});
