import { getReadiness, type Readiness } from '@twinstream/api-contract';
import { isoTime } from '../device-json.ts';
import { endpoint, jsonAnswer } from '../endpoint.ts';

/** Says that the fleet can be answered: it has been read. Until then, and while it cannot be read, it answers with 503. */
export const readinessEndpoint = endpoint(getReadiness, async ({ getSignal }, { fleet }) => {
  const { asOf } = await fleet.current(getSignal());
  return jsonAnswer<Readiness>({ status: 'ready', asOf: isoTime(asOf) });
});
