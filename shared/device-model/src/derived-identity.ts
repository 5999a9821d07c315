import {
  type ArrivedEvent,
  type DecisionContext,
  isBelowHighWaterMark,
  isOvertaken,
  receiptOfCounted,
} from './decide-event.ts';
import type { CountedIdentity } from './device-event.ts';
import type { StoredEvent } from './event-page.ts';
import { eventTimeMs } from './event-time.ts';
import { NO_VERSION } from './event-version.ts';
import { deriveIdentity, type EventBefore, restartIdentity, withIdentityText } from './source-counter.ts';

/**
 * The event with the identity that its source's counter means, compared with the device's newest event. An event that is not
 * the next of its device (below the high-water mark of its shard, or overtaken in another) is compared with the nearest event
 * stored before it; the store decides whether it is there already. A restart among these without an identity of its own stays
 * uncounted. Any other event is returned as it is.
 */
export function withDerivedIdentity(
  context: DecisionContext,
  delivered: ArrivedEvent,
): ArrivedEvent | 'redelivered' | 'history-needed' {
  if (delivered.sourceCounter === undefined) return delivered;
  const { draft, shardId, history } = context;
  const { sourceCounter, ...arrival } = delivered;
  const isBelow = isBelowHighWaterMark(draft, shardId, arrival);
  const isAmongStored = isBelow || isOvertaken(draft, shardId, arrival);
  let before: EventBefore = { ...draft.current, ...timeOf(draft.lastEventTime?.value) };
  if (isAmongStored) {
    if (history === undefined) return 'history-needed';
    const position = { shardId, ...arrival.place };
    if (history.has(position)) return 'redelivered';
    const copy = history.copyOf(position, delivered);
    if (copy !== undefined) return isBelow ? 'redelivered' : again(arrival, copy);
    if (!hasAdvanced(context)) {
      const stored = history.eventBefore(position, arrival.arrivalTime);
      before = { ...(stored?.version ?? NO_VERSION), ...timeOf(stored?.event.time) };
    }
  }
  const timeMs = eventTimeMs(arrival.event.time);
  const own = restartIdentity(sourceCounter, timeMs);
  if (own !== undefined) {
    const receipt = receiptOfCounted(context, own);
    if (receipt === 'unknown') return 'history-needed';
    if (receipt === 'received' || own.session > before.session) return identified(arrival, own);
  }
  const { kind, identity } = deriveIdentity(before, sourceCounter, timeMs);
  return isAmongStored && kind === 'restart' ? arrival : identified(arrival, identity);
}

/** Whether this plan has an event of the shard already that is the device's newest: what comes after it is compared with it. */
function hasAdvanced({ draft: { current }, start }: DecisionContext): boolean {
  return current.session !== start.session || current.counter !== start.counter;
}

/** Sent again, in a record of its own: counts as a duplicate where the first one is counted. */
function again(arrival: ArrivedEvent, { event }: Pick<StoredEvent, 'event'>): ArrivedEvent | 'redelivered' {
  return event.identity === undefined ? 'redelivered' : identified(arrival, event.identity);
}

function identified(arrival: ArrivedEvent, identity: CountedIdentity): ArrivedEvent {
  const event = { ...arrival.event, identity };
  return { ...arrival, event, text: withIdentityText(arrival.text, identity) };
}

function timeOf(time: string | undefined): Pick<EventBefore, 'timeMs'> {
  return time === undefined ? {} : { timeMs: eventTimeMs(time) };
}
