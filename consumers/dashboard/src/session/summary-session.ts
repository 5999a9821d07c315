import { computed, signal } from '@preact/signals';
import { listDevices, readSummary } from '../api/query-api.ts';
import { type Device, type FleetSummary, LIVENESS } from '../api/shapes.ts';
import { type FleetQuery, isFiltered } from '../model/fleet-query.ts';
import { fleetQuery, view } from './address.ts';
import { serverNow } from './clock.ts';
import { noteAnswer, noteAsOf, noteFailure, revalidate } from './connection.ts';
import { startPoll } from './poll.ts';

const POLL_MS = 2_500;
/** Counting by lists costs the API five requests: less often. */
const POLL_BY_LISTS_MS = 5_000;

/** Counts of the whole fleet. */
export const summary = signal<FleetSummary | undefined>(undefined);

/** What the tiles count among: the filters of the address without those that tiles set. */
const tileFilter = computed((): FleetQuery => {
  const { liveness: _l, trouble: _t, sort: _s, order: _o, ...rest } = fleetQuery.value;
  return rest;
});
const filtered = signal<{ readonly filter: FleetQuery; readonly counts: FleetSummary } | undefined>(
  undefined,
);

/** Counts among which the tiles choose; undefined until they are there. */
export const tileSummary = computed((): FleetSummary | undefined => {
  const filter = tileFilter.value;
  if (!isFiltered(filter)) return summary.value;
  return filtered.value?.filter === filter ? filtered.value.counts : undefined;
});

let hasSummaryRoute = true;

/** The counts of the tiles from the totals of lists, for an API without summary. Undefined where lists have no totals either. */
async function countByLists(filter: FleetQuery, signal: AbortSignal): Promise<FleetSummary | undefined> {
  const count = async (query: FleetQuery): Promise<number | undefined> => {
    const outcome = await listDevices({ ...filter, ...query }, { limit: 1 }, signal);
    if (outcome.kind === 'answered') return outcome.value.total;
    if (outcome.kind !== 'aborted') noteFailure(outcome);
    return undefined;
  };
  const total = await count({});
  if (total === undefined) return undefined;
  const [online, stale, offline] = await Promise.all(LIVENESS.map((liveness) => count({ liveness })));
  const inTrouble = await count({ trouble: 'any' });
  const none = new Map<string, number>();
  return {
    total,
    liveness: { online: online ?? 0, stale: stale ?? 0, offline: offline ?? 0 },
    ...(inTrouble === undefined ? {} : { inTrouble }),
    status: none,
    site: none,
    type: none,
    firmware: none,
  };
}

async function count(filter: FleetQuery, signal: AbortSignal): Promise<FleetSummary | undefined> {
  if (!hasSummaryRoute) return countByLists(filter, signal);
  const outcome = await readSummary(filter, signal);
  if (outcome.kind === 'answered') {
    noteAnswer(outcome.serverTime);
    noteAsOf('fleet', outcome.value.asOf ?? serverNow());
    return outcome.value;
  }
  if (outcome.kind === 'aborted') return undefined;
  if (outcome.kind === 'refused' && outcome.status === 404) {
    hasSummaryRoute = false;
    return countByLists(filter, signal);
  }
  noteFailure(outcome);
  return undefined;
}

/** Devices that the line below the tiles names: as many as a wall has room for. */
const TROUBLED_MAX = 12;

/**
 * Those of the tiles' devices that are in trouble: first those that fell silent, the last one first, then those of which
 * most is missing. Neither order moves with every event.
 */
export const troubledDevices = signal<readonly Device[]>([]);

async function refreshTroubled(signal: AbortSignal): Promise<void> {
  const { silent = 0, gaps = 0 } = tileSummary.peek()?.troubles ?? {};
  const found: Device[] = [];
  const take = async (query: FleetQuery): Promise<void> => {
    const outcome = await listDevices({ ...tileFilter.peek(), ...query }, { limit: TROUBLED_MAX }, signal);
    if (outcome.kind === 'refused' || outcome.kind === 'unreachable') noteFailure(outcome);
    if (outcome.kind !== 'answered') return;
    const known = new Set(found.map(({ deviceId }) => deviceId));
    found.push(...outcome.value.items.filter(({ deviceId }) => !known.has(deviceId)));
  };
  if (silent > 0) await take({ trouble: 'silent', sort: 'lastArrivalTime', order: 'desc' });
  if (gaps > 0 && found.length < TROUBLED_MAX) await take({ trouble: 'gaps', sort: 'gaps', order: 'desc' });
  if (!signal.aborted) troubledDevices.value = found.slice(0, TROUBLED_MAX);
}

async function refresh(signal: AbortSignal): Promise<void> {
  const whole = await count({}, signal);
  if (whole !== undefined) summary.value = whole;
  const filter = tileFilter.peek();
  const counts = isFiltered(filter) ? await count(filter, signal) : undefined;
  if (counts !== undefined) filtered.value = { filter, counts };
  if (view.peek().view === 'fleet') await refreshTroubled(signal);
}

/** Keeps the counts fresh, for as long as the page lives. */
export function startSummary(): void {
  startPoll({ everyMs: () => (hasSummaryRoute ? POLL_MS : POLL_BY_LISTS_MS), run: refresh });
  tileFilter.subscribe((filter) => {
    if (isFiltered(filter)) revalidate();
  });
}
