import {
  type ArrivedEvent,
  type DecisionContext,
  isBelowHighWaterMark,
  receiptOfCounted,
} from './decide-event.ts';
import type { CountedIdentity } from './device-event.ts';
import { eventTimeMs } from './event-time.ts';
import { NO_VERSION } from './event-version.ts';
import { deriveIdentity, type EventBefore, restartIdentity, withIdentityText } from './source-counter.ts';

/**
 * The event with the identity that its source's counter means, compared with the device's newest event; below the high-water
 * mark of its shard, where the store decides whether it was delivered already, with the nearest event stored before it. There
 * a restart without an identity of its own stays uncounted. Any other event is returned as it is.
 */
export function withDerivedIdentity(
  context: DecisionContext,
  delivered: ArrivedEvent,
): ArrivedEvent | 'redelivered' | 'history-needed' {
  if (delivered.sourceCounter === undefined) return delivered;
  const { draft, shardId, history } = context;
  const { sourceCounter, ...arrival } = delivered;
  const isBelow = isBelowHighWaterMark(draft, shardId, arrival);
  let before: EventBefore = { ...draft.current, ...timeOf(draft.lastEventTime?.value) };
  if (isBelow) {
    if (history === undefined) return 'history-needed';
    const position = { shardId, ...arrival.place };
    if (history.has(position) || history.hasCopy(position, delivered)) return 'redelivered';
    const stored = history.eventBefore(position, arrival.arrivalTime);
    before = { ...(stored?.version ?? NO_VERSION), ...timeOf(stored?.event.time) };
  }
  const timeMs = eventTimeMs(arrival.event.time);
  const own = restartIdentity(sourceCounter, timeMs);
  if (own !== undefined) {
    const receipt = receiptOfCounted(context, own);
    if (receipt === 'unknown') return 'history-needed';
    if (receipt === 'received' || own.session > before.session) return identified(arrival, own);
  }
  const { kind, identity } = deriveIdentity(before, sourceCounter, timeMs);
  return isBelow && kind === 'restart' ? arrival : identified(arrival, identity);
}

function identified(arrival: ArrivedEvent, identity: CountedIdentity): ArrivedEvent {
  const event = { ...arrival.event, identity };
  return { ...arrival, event, text: withIdentityText(arrival.text, identity) };
}

function timeOf(time: string | undefined): Pick<EventBefore, 'timeMs'> {
  return time === undefined ? {} : { timeMs: eventTimeMs(time) };
}
