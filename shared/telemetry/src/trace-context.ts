import { randomBytes } from 'node:crypto';

/** Where a span stands: W3C Trace Context, level 1 ("traceparent Header", read 2026-12). */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
}

/** Member of an event that carries the context of the span which sent it. */
export const TRACE_MEMBER = 'traceparent';

const SAMPLED = '01';
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const ZEROS = /^0+$/;
const TRACE_BYTES = 16;
const SPAN_BYTES = 8;

export function newSpanId(): string {
  return randomBytes(SPAN_BYTES).toString('hex');
}

/** The first span of a new trace. */
export function newTraceContext(): TraceContext {
  return { traceId: randomBytes(TRACE_BYTES).toString('hex'), spanId: newSpanId() };
}

export function formatTraceparent({ traceId, spanId }: TraceContext): string {
  return `00-${traceId}-${spanId}-${SAMPLED}`;
}

/** The context of a `traceparent` that is sampled; undefined for one that is not, and for any other text. */
export function parseSampled(text: string): TraceContext | undefined {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(text) ?? [];
  const isSampled = (Number.parseInt(flags, 16) & 1) === 1;
  return isSampled && !ZEROS.test(traceId) && !ZEROS.test(spanId) ? { traceId, spanId } : undefined;
}
