import type { HistoryEvent } from '../src/api/shapes.ts';

const START = Date.UTC(2026, 10, 23, 8);

/** An event of a made-up history: the n-th to arrive, one a second. */
export function arrived(n: number, event: Partial<HistoryEvent> = {}): HistoryEvent {
  const arrivalTime = START + n * 1_000;
  return {
    type: 'reported',
    time: new Date(arrivalTime).toISOString(),
    arrivalTime,
    data: {},
    late: false,
    repaired: false,
    raw: {},
    ...event,
  };
}

/** The n-th to arrive, with its counter. */
export function counted(
  n: number,
  session: number,
  counter: number,
  event: Partial<HistoryEvent> = {},
): HistoryEvent {
  return arrived(n, { identity: { session, counter }, ...event });
}

/** The n-th to arrive, correcting an earlier one. */
export function corrected(
  n: number,
  session: number,
  counter: number,
  data: HistoryEvent['data'] = {},
): HistoryEvent {
  return arrived(n, {
    type: 'corrected',
    data,
    correction: { reason: 'sensor replaced', actor: 'maintenance', corrects: { session, counter } },
  });
}
