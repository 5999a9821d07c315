import { signal } from '@preact/signals';
import { listDevices, readSummary } from '../api/query-api.ts';
import type { FleetSummary } from '../api/shapes.ts';
import { LIVENESS } from '../api/shapes.ts';
import type { FleetQuery } from '../model/fleet-query.ts';
import { serverNow } from './clock.ts';
import { noteAnswer, noteFailure } from './connection.ts';
import { startPoll } from './poll.ts';

const POLL_MS = 2_500;
/** Counting by lists costs the API five requests: less often. */
const POLL_BY_LISTS_MS = 5_000;

export const summary = signal<FleetSummary | undefined>(undefined);

let hasSummaryRoute = true;

/** The counts of the tiles from the totals of lists, for an API without summary. Undefined where lists have no totals either. */
async function countByLists(signal: AbortSignal): Promise<FleetSummary | undefined> {
  const count = async (query: FleetQuery): Promise<number | undefined> => {
    const outcome = await listDevices(query, { limit: 1 }, signal);
    if (outcome.kind === 'answered') return outcome.value.total;
    if (outcome.kind !== 'aborted') noteFailure(outcome);
    return undefined;
  };
  const total = await count({});
  if (total === undefined) return undefined;
  const [online, stale, offline] = await Promise.all(LIVENESS.map((liveness) => count({ liveness })));
  const inTrouble = await count({ trouble: true });
  return {
    total,
    liveness: { online: online ?? 0, stale: stale ?? 0, offline: offline ?? 0 },
    ...(inTrouble === undefined ? {} : { inTrouble }),
    status: {},
    site: {},
    type: {},
    firmware: {},
  };
}

async function refreshSummary(signal: AbortSignal): Promise<void> {
  if (hasSummaryRoute) {
    const outcome = await readSummary(signal);
    if (outcome.kind === 'answered') {
      summary.value = outcome.value;
      noteAnswer(outcome.serverTime, outcome.value.asOf ?? serverNow());
      return;
    }
    if (outcome.kind === 'aborted') return;
    if (outcome.kind !== 'refused' || outcome.status !== 404) {
      noteFailure(outcome);
      return;
    }
    hasSummaryRoute = false;
  }
  const counted = await countByLists(signal);
  if (counted !== undefined) summary.value = counted;
}

/** Keeps the counts of the whole fleet fresh, for as long as the page lives. */
export function startSummary(): void {
  startPoll({ everyMs: () => (hasSummaryRoute ? POLL_MS : POLL_BY_LISTS_MS), run: refreshSummary });
}
