import type { EventJson } from '@twinstream/api-contract';
import { type EventIdentity, identityOf, isCorrection } from './event.ts';

/** Counters of one session that were skipped, as seen when a later one came. */
export interface CounterGap {
  readonly first: number;
  readonly last: number;
  /** How many of them came afterwards, late. */
  filled: number;
}

/** What is remarkable about an event's place in the history. */
export interface EventMarks {
  /** Counters were missing right before it. */
  gap?: CounterGap;
  /** The device rebooted or rejoined. */
  startsSession?: true;
  /** A correction of it came afterwards. */
  wasCorrected?: true;
}

interface SessionSeen {
  highest: number;
  readonly gaps: CounterGap[];
  readonly marksByCounter: Map<number, EventMarks>;
}

/**
 * Marks of events in chain order, oldest first. They rest on these events alone: the first event of a session that
 * began before them opens no gap, because what came before is not known here.
 */
export function marksOf(events: readonly EventJson[]): readonly EventMarks[] {
  const sessions = new Map<number, SessionSeen>();
  let newestSession: number | undefined;
  return events.map((event) => {
    const marks: EventMarks = {};
    if (isCorrection(event)) {
      const { corrects } = event;
      const target = corrects && sessions.get(corrects.session)?.marksByCounter.get(corrects.counter);
      if (target !== undefined) target.wasCorrected = true;
      return marks;
    }
    const identity = identityOf(event);
    if (identity === undefined) return marks;
    if (newestSession !== undefined && identity.session > newestSession) marks.startsSession = true;
    newestSession = Math.max(newestSession ?? identity.session, identity.session);
    markCounter(sessions, identity, marks);
    return marks;
  });
}

function markCounter(
  sessions: Map<number, SessionSeen>,
  { session, counter }: EventIdentity,
  marks: EventMarks,
): void {
  const seen = sessions.get(session);
  if (seen === undefined) {
    sessions.set(session, { highest: counter, gaps: [], marksByCounter: new Map([[counter, marks]]) });
    return;
  }
  seen.marksByCounter.set(counter, marks);
  if (counter > seen.highest + 1) {
    const gap: CounterGap = { first: seen.highest + 1, last: counter - 1, filled: 0 };
    seen.gaps.push(gap);
    marks.gap = gap;
  }
  if (counter > seen.highest) seen.highest = counter;
  else {
    const filled = seen.gaps.find(({ first, last }) => counter >= first && counter <= last);
    if (filled !== undefined) filled.filled += 1;
  }
}

/** Counters of a gap that are still missing. */
export function missingOf(gap: CounterGap): number {
  return gap.last - gap.first + 1 - gap.filled;
}
