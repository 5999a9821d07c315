import { type Environment, readConfiguration } from '@twinstream/runtime';
import { z } from 'zod';
import type { TraceContext } from './trace-context.ts';

/** A part of a trace that has ended. */
export interface Span {
  readonly name: string;
  readonly context: TraceContext;
  /** Absent for the first span of a trace. */
  readonly parentSpanId?: string;
  /** Milliseconds since 1970, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  /** Why it failed, where it did. */
  readonly error?: string;
}

export interface SpanExporter {
  /** Sends it soon. What cannot be sent is dropped, and said once. */
  add(span: Span): void;
  /** Resolves when all that was added is sent or dropped. Never rejects. */
  flush(): Promise<void>;
}

/** Spans that wait to be sent; more are dropped. */
const WAITING_MAX = 2_048;
const FLUSH_AFTER_MS = 500;
const NANOSECONDS_PER_MS = 1_000_000;
/** SpanKind INTERNAL, and status codes OK and ERROR ("trace.proto", opentelemetry-proto 1.3). */
const KIND_INTERNAL = 1;
const STATUS_ERROR = 2;

/** `name=value,name=value`, values percent-encoded. */
const PAIRS = z
  .string()
  .default('')
  .transform((text, context): Readonly<Record<string, string>> => {
    try {
      return pairs(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'a value is not percent-encoded as a URI is' });
      return z.NEVER;
    }
  });

// "OpenTelemetry Protocol Exporter" and "General SDK Configuration", OpenTelemetry specification, read 2026-12.
const SCHEMA = z.object({
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.url().optional(),
  OTEL_EXPORTER_OTLP_HEADERS: PAIRS,
  OTEL_EXPORTER_OTLP_TIMEOUT: z.coerce.number().int().min(1).default(10_000),
  OTEL_RESOURCE_ATTRIBUTES: PAIRS,
  OTEL_TRACES_EXPORTER: z.string().default('otlp'),
  OTEL_SDK_DISABLED: z.string().default('false'),
});

/**
 * Sends spans by OTLP over HTTP as JSON, to where the standard variables say; undefined where none names an endpoint.
 * Throws `INVALID_CONFIGURATION`.
 */
export function openSpanExporter(
  service: string,
  environment: Environment,
  onFailure: (error: unknown) => void,
): SpanExporter | undefined {
  const configuration = readConfiguration(SCHEMA, environment);
  const url = tracesUrl(configuration);
  if (url === undefined) return undefined;
  const headers = { 'content-type': 'application/json', ...configuration.OTEL_EXPORTER_OTLP_HEADERS };
  const resource = { 'service.name': service, ...configuration.OTEL_RESOURCE_ATTRIBUTES };
  let waiting: Span[] = [];
  let sending = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let hasFailed = false;

  const send = async (spans: readonly Span[]): Promise<void> => {
    try {
      const signal = AbortSignal.timeout(configuration.OTEL_EXPORTER_OTLP_TIMEOUT);
      const body = JSON.stringify(exportRequest(resource, spans));
      const response = await fetch(url, { method: 'POST', headers, body, signal });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`${url} answered with ${response.status}`);
      hasFailed = false;
    } catch (error) {
      if (!hasFailed) onFailure(error);
      hasFailed = true;
    }
  };
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const spans = waiting;
    waiting = [];
    if (spans.length > 0) sending = sending.then(() => send(spans));
    return sending;
  };
  return {
    add: (span) => {
      if (waiting.length >= WAITING_MAX) return;
      waiting.push(span);
      timer ??= setTimeout(() => void flush(), FLUSH_AFTER_MS).unref();
    },
    flush,
  };
}

function tracesUrl(configuration: z.infer<typeof SCHEMA>): string | undefined {
  const {
    OTEL_EXPORTER_OTLP_ENDPOINT: base,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own,
    OTEL_TRACES_EXPORTER: exporter,
    OTEL_SDK_DISABLED: disabled,
  } = configuration;
  if (disabled.toLowerCase() === 'true' || exporter === 'none') return undefined;
  return own ?? (base === undefined ? undefined : `${base.replace(/\/+$/, '')}/v1/traces`);
}

/** Throws URIError for a value that is not percent-encoded. */
function pairs(text: string): Record<string, string> {
  const entries = text.split(',').flatMap((pair) => {
    const [, name, value = ''] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    return name === undefined ? [] : [[name, decodeURIComponent(value)] as const];
  });
  return Object.fromEntries(entries);
}

function exportRequest(resource: Readonly<Record<string, string>>, spans: readonly Span[]): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope: { name: 'twinstream' }, spans: spans.map(spanJson) }],
      },
    ],
  };
}

function spanJson({ name, context, parentSpanId, startMs, endMs, attributes = {}, error }: Span): object {
  return {
    ...context,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name,
    kind: KIND_INTERNAL,
    startTimeUnixNano: nanoseconds(startMs),
    endTimeUnixNano: nanoseconds(endMs),
    attributes: attributesOf(attributes),
    ...(error === undefined ? {} : { status: { code: STATUS_ERROR, message: error } }),
  };
}

/** As text, since no double holds it. */
function nanoseconds(ms: number): string {
  const whole = Math.floor(ms);
  return String(
    BigInt(whole) * BigInt(NANOSECONDS_PER_MS) + BigInt(Math.round((ms - whole) * NANOSECONDS_PER_MS)),
  );
}

function attributesOf(values: Readonly<Record<string, string | number | boolean>>): object[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: string | number | boolean): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
