import type { EventJson } from '@twinstream/api-contract';
import type { TimeOf } from './event.ts';

export type StatusName = 'connected' | 'disconnected' | 'silent' | 'heard';

/** A stretch of time with one status; milliseconds since 1970. */
export interface StatusSpan {
  readonly status: StatusName;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The status of a device over time, from its events: what it said last, `heard` before it has said anything, and `silent`
 * where nothing was heard for longer than `silenceMs` although it had not disconnected.
 */
export function statusSpansOf(
  events: readonly EventJson[],
  timeOf: TimeOf,
  { fromMs, toMs, silenceMs }: { readonly fromMs: number; readonly toMs: number; readonly silenceMs: number },
): readonly StatusSpan[] {
  const spans: StatusSpan[] = [];
  const add = (status: StatusName, from: number, to: number): void => {
    const [start, end] = [Math.max(from, fromMs), Math.min(to, toMs)];
    if (end <= start) return;
    const last = spans.at(-1);
    if (last?.status === status && last.toMs === start) spans[spans.length - 1] = { ...last, toMs: end };
    else spans.push({ status, fromMs: start, toMs: end });
  };
  const inOrder = events.map((event) => ({ type: event.type, time: timeOf(event) }));
  inOrder.sort((a, b) => a.time - b.time);
  let status: StatusName = 'heard';
  for (const [index, { type, time }] of inOrder.entries()) {
    if (type === 'connected' || type === 'disconnected') status = type;
    const next = inOrder[index + 1]?.time ?? toMs;
    const isSilent = status !== 'disconnected' && next - time > silenceMs;
    add(status, time, isSilent ? time + silenceMs : next);
    if (isSilent) add('silent', time + silenceMs, next);
  }
  return spans;
}
