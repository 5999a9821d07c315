import { formatTraceparent, type Span, TRACE_MEMBER, type TraceContext } from '@twinstream/telemetry';
import type { EventSource, PlannedEvent } from './planned-event.ts';

/** Chooses the events of a run whose way is traced. */
export interface TraceDraws {
  /** Draws from [0, 1). */
  readonly random: () => number;
  readonly newContext: () => TraceContext;
}

const END = Buffer.from('}\n');

/**
 * The events of a source, a share of which carries the context of a trace: `traceparent`, a member that means nothing to state and
 * identity, like any that the format does not know.
 *
 * @param share 0 to 1
 */
export function withTraces(
  source: EventSource,
  share: number,
  { random, newContext }: TraceDraws,
): EventSource {
  const mark = (planned: PlannedEvent | undefined): PlannedEvent | undefined => {
    if (planned === undefined || random() >= share) return planned;
    const { bytes } = planned;
    const end = bytes.length - END.length;
    if (!END.equals(bytes.subarray(end))) return planned;
    const trace = newContext();
    const member = `,"${TRACE_MEMBER}":"${formatTraceparent(trace)}"`;
    return { ...planned, trace, bytes: Buffer.concat([bytes.subarray(0, end), Buffer.from(member), END]) };
  };
  return {
    next: () => {
      const step = source.next();
      return step instanceof Promise ? step.then(mark) : mark(step);
    },
    close: () => source.close(),
  };
}

/** The span of an event that was put, from its hand-over to the producer to its outcome. */
export function putSpan(
  record: { readonly partitionKey: string; readonly sentAtMs: number; readonly trace: TraceContext },
  outcome: { readonly attempts: number; readonly error?: string },
  endMs: number,
): Span {
  const { attempts, error } = outcome;
  return {
    name: 'put',
    context: record.trace,
    startMs: record.sentAtMs,
    endMs,
    attributes: { 'device.id': record.partitionKey, attempts },
    ...(error === undefined ? {} : { error }),
  };
}
