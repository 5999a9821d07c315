import { computed, signal } from '@preact/signals';
import type { DeviceJson, FleetSummary } from '@twinstream/api-contract';
import { listDevices, readSummary } from '../api/query-api.ts';
import { type FleetQuery, isFiltered } from '../model/fleet-query.ts';
import { fleetQuery, view } from './address.ts';
import { noteAnswer, noteAsOf, noteFailure, revalidate } from './connection.ts';
import { startPoll } from './poll.ts';

const POLL_MS = 2_500;

/** Counts of the whole fleet. */
export const summary = signal<FleetSummary | undefined>(undefined);

/** What the tiles count among: the filters of the address without those that tiles set. */
const tileFilter = computed((): FleetQuery => {
  const { liveness: _l, trouble: _t, acknowledged: _a, sort: _s, order: _o, ...rest } = fleetQuery.value;
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

async function count(filter: FleetQuery, signal: AbortSignal): Promise<FleetSummary | undefined> {
  const outcome = await readSummary(filter, signal);
  if (outcome.kind === 'answered') {
    noteAnswer(outcome.serverTime);
    noteAsOf('fleet', Date.parse(outcome.value.asOf));
    return outcome.value;
  }
  if (outcome.kind !== 'aborted') noteFailure(outcome);
  return undefined;
}

/** Devices that the line below the tiles names: as many as a wall has room for. */
const TROUBLED_MAX = 12;

/**
 * Those of the tiles' devices with a trouble that nobody has acknowledged: first those that fell silent, the last one first, then those of which
 * most is missing. Neither order moves with every event.
 */
export const troubledDevices = signal<readonly DeviceJson[]>([]);

async function refreshTroubled(signal: AbortSignal): Promise<void> {
  const { silent = 0, gaps = 0 } = tileSummary.peek()?.byTrouble ?? {};
  const found: DeviceJson[] = [];
  const take = async (query: FleetQuery): Promise<void> => {
    const outcome = await listDevices({ ...tileFilter.peek(), ...query }, { limit: TROUBLED_MAX }, signal);
    if (outcome.kind === 'refused' || outcome.kind === 'unreachable') noteFailure(outcome);
    if (outcome.kind !== 'answered') return;
    const known = new Set(found.map(({ deviceId }) => deviceId));
    found.push(...outcome.value.devices.filter(({ deviceId }) => !known.has(deviceId)));
  };
  if (silent > 0)
    await take({ trouble: 'silent', acknowledged: false, sort: 'lastArrivalTime', order: 'desc' });
  if (gaps > 0 && found.length < TROUBLED_MAX)
    await take({ trouble: 'gaps', acknowledged: false, sort: 'gaps', order: 'desc' });
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
  startPoll({ everyMs: () => POLL_MS, run: refresh });
  tileFilter.subscribe((filter) => {
    if (isFiltered(filter)) revalidate();
  });
}
