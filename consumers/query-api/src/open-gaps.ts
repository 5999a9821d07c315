import { LOOK_BACK_EVENTS } from '@twinstream/api-contract';
import type { DeviceState } from '@twinstream/device-model';
import {
  type DescribedState,
  type EventStore,
  type HistoryEvent,
  readHistory,
} from '@twinstream/event-store';
import { isoTime } from './device-json.ts';

/** Counters from `first` to `last` of a session, none of which was received while a higher one was. */
interface Gap {
  readonly session: number;
  readonly first: number;
  readonly last: number;
}

/** What is known of the gaps of a device beside their number. */
export interface OpenGaps {
  /** When the oldest began, where the newest events tell; else null. */
  readonly since: string | null;
  /** When the newest had opened at the latest, milliseconds since 1970; undefined where no event tells. */
  readonly newestMs: number | undefined;
  /** In words: `counters 3-5 of session 1, counter 9 of session 1`. */
  readonly text: string;
}

/** Gaps that are named; the others are counted. */
const NAMED_MAX = 3;

/**
 * Which counters are missing, and since when: a gap begins when the first event after it arrives. Undefined where the state no
 * longer tells which they are.
 */
export async function openGaps(
  store: EventStore,
  state: DescribedState,
  signal: AbortSignal,
): Promise<OpenGaps | undefined> {
  const gaps = gapsOf(state);
  const missing = gaps.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  if (missing !== state.counts.gaps) return undefined;
  const { deviceId } = state;
  const answer = await readHistory(store, { deviceId, order: 'descending', limit: LOOK_BACK_EVENTS, signal });
  const newest = [...answer.events].reverse().filter(({ late }) => late === undefined);
  const isWhole = answer.cursor === undefined;
  const began = gaps.map((gap) => beginningOf(gap, newest, isWhole));
  const known = began.filter((time) => time !== undefined);
  // One that opened before these events had opened when the first of them arrived.
  const newestMs = known.length > 0 ? Math.max(...known) : newest[0]?.arrivalTime;
  const isKnown = known.length === gaps.length && known.length > 0;
  return { since: isKnown ? isoTime(Math.min(...known)) : null, newestMs, text: gapsText(gaps) };
}

function gapsOf({ receipts }: Pick<DeviceState, 'receipts'>): Gap[] {
  return [...receipts.sessions].flatMap(([session, { ranges }]) =>
    ranges.slice(1).map(({ first }, index) => ({
      session,
      first: (ranges[index]?.last ?? 0) + 1,
      last: first - 1,
    })),
  );
}

/** Versions rise from event to event, late ones left out: the first event above the gap opened it, if one below comes before. */
function beginningOf(
  { session, last }: Gap,
  events: readonly HistoryEvent[],
  isWhole: boolean,
): number | undefined {
  const index = events.findIndex(
    ({ version }) => version.session > session || (version.session === session && version.counter > last),
  );
  return index > 0 || (index === 0 && isWhole) ? events[index]?.arrivalTime : undefined;
}

function gapsText(gaps: readonly Gap[]): string {
  const named = gaps
    .slice(0, NAMED_MAX)
    .map(({ session, first, last }) =>
      first === last
        ? `counter ${first} of session ${session}`
        : `counters ${first}-${last} of session ${session}`,
    );
  const rest = gaps.length - named.length;
  return rest > 0 ? `${named.join(', ')} and ${rest} more gaps` : named.join(', ');
}
