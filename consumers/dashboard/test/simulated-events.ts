import type { EventJson } from '@twinstream/api-contract';

const START = Date.UTC(2026, 10, 23, 8);

/** An event of a simulated history: the n-th to arrive, one a second. */
export function arrived(n: number, event: Partial<EventJson> = {}): EventJson {
  const arrivalTime = new Date(START + n * 1_000).toISOString();
  return {
    v: 1,
    deviceId: 'bus-2619',
    type: 'reported',
    time: arrivalTime,
    data: {},
    position: { shardId: 'shardId-000000000000', sequenceNumber: String(100 + n), subSequenceNumber: 0 },
    arrivalTime,
    ...event,
  };
}

/** The n-th to arrive, with its counter. */
export function counted(
  n: number,
  session: number,
  counter: number,
  event: Partial<EventJson> = {},
): EventJson {
  return arrived(n, { session, counter, ...event });
}

/** The n-th to arrive, correcting an earlier one. */
export function corrected(
  n: number,
  session: number,
  counter: number,
  data: EventJson['data'] = {},
): EventJson {
  return arrived(n, {
    type: 'corrected',
    data,
    correctionId: `correction-${n}`,
    reason: 'sensor replaced',
    actor: 'maintenance',
    corrects: { session, counter },
  });
}
