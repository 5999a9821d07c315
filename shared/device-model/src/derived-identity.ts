import { type ArrivedEvent, type DecisionContext, isBelowHighWaterMark } from './decide-event.ts';
import { eventTimeMs } from './event-time.ts';
import { NO_VERSION } from './event-version.ts';
import { deriveIdentity, type EventBefore, withIdentityText } from './source-counter.ts';

/**
 * The event with the identity that its source's counter means, compared with the device's newest event; below the high-water
 * mark of its shard, where the store decides whether it was delivered already, with the nearest event stored before it. There
 * a restart has no number of its own any more, so that the event stays uncounted. Any other event is returned as it is.
 */
export function withDerivedIdentity(
  { draft, shardId, history }: DecisionContext,
  delivered: ArrivedEvent,
): ArrivedEvent | 'redelivered' | 'history-needed' {
  if (delivered.sourceCounter === undefined) return delivered;
  const { sourceCounter, ...arrival } = delivered;
  const isBelow = isBelowHighWaterMark(draft, shardId, arrival);
  let before: EventBefore = { ...draft.current, ...timeOf(draft.lastEventTime?.value) };
  if (isBelow) {
    if (history === undefined) return 'history-needed';
    const position = { shardId, ...arrival.place };
    if (history.has(position)) return 'redelivered';
    const stored = history.eventBefore(position, arrival.arrivalTime);
    before = { ...(stored?.version ?? NO_VERSION), ...timeOf(stored?.event.time) };
  }
  const { kind, identity } = deriveIdentity(before, sourceCounter, eventTimeMs(arrival.event.time));
  if (isBelow && kind === 'restart') return arrival;
  const event = { ...arrival.event, identity };
  return { ...arrival, event, text: withIdentityText(arrival.text, identity) };
}

function timeOf(time: string | undefined): Pick<EventBefore, 'timeMs'> {
  return time === undefined ? {} : { timeMs: eventTimeMs(time) };
}
