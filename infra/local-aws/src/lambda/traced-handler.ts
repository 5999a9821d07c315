import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { WRITES_CHANNEL, type WriteDiagnostic } from '@twinstream/aws/dynamodb';
import type { Environment } from '@twinstream/runtime';
import { type KinesisLambdaEvent, openRecord, readBatch } from '@twinstream/stream-model';
import {
  newSpanId,
  openSpanExporter,
  parseSampled,
  type Span,
  type SpanExporter,
  TRACE_MEMBER,
  type TraceContext,
} from '@twinstream/telemetry';
import type { LambdaContext } from './lambda-context.ts';

type Handler = (event: unknown, context: LambdaContext) => unknown;

/** A traced event of a batch. */
interface TracedEvent {
  readonly put: TraceContext;
  readonly deviceId: string | undefined;
}

const MARK = Buffer.from(`"${TRACE_MEMBER}"`);
const PAGE_KEY = 'EVENT#';
const now = () => performance.timeOrigin + performance.now();

/**
 * A handler whose invocations are spans of the traces of the events that they are given, with a span for each page that is stored and for
 * each state that is written of a traced device. A batch without a traced event costs a search of its bytes.
 */
export function tracedHandler(handler: Handler, functionName: string, spans: SpanExporter): Handler {
  return async (event, context) => {
    const traced = tracedEvents(event);
    if (traced.length === 0) return handler(event, context);
    const writes: WriteDiagnostic[] = [];
    const listen = (message: unknown) => void writes.push(message as WriteDiagnostic);
    subscribe(WRITES_CHANNEL, listen);
    const startMs = now();
    let error: string | undefined;
    try {
      return await handler(event, context);
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.name : 'unknown';
      throw thrown;
    } finally {
      unsubscribe(WRITES_CHANNEL, listen);
      const invocation = { functionName, startMs, endMs: now(), requestId: context.awsRequestId };
      for (const one of traced) {
        for (const span of spansOf(one, invocation, writes, error)) spans.add(span);
      }
      void spans.flush();
    }
  };
}

/** The handler, traced where the environment says where spans go. */
export function tracedByEnvironment(
  handler: Handler,
  functionName: string,
  environment: Environment,
): Handler {
  const spans = openSpanExporter(functionName, environment, (error) => {
    process.stderr.write(`spans of ${functionName} not sent: ${String(error)}\n`);
  });
  return spans === undefined ? handler : tracedHandler(handler, functionName, spans);
}

interface Invocation {
  readonly functionName: string;
  readonly requestId: string;
  readonly startMs: number;
  readonly endMs: number;
}

function spansOf(
  { put, deviceId }: TracedEvent,
  { functionName, requestId, startMs, endMs }: Invocation,
  writes: readonly WriteDiagnostic[],
  error: string | undefined,
): readonly Span[] {
  const context = { traceId: put.traceId, spanId: newSpanId() };
  const ofDevice = writes.flatMap((write): Span[] => {
    const name = deviceId !== undefined && write.item.deviceId?.S === deviceId ? nameOf(write) : undefined;
    if (name === undefined) return [];
    const { tableName, startMs: from, endMs: to } = write;
    return [
      {
        name,
        context: { traceId: put.traceId, spanId: newSpanId() },
        parentSpanId: context.spanId,
        startMs: from,
        endMs: to,
        attributes: { 'aws.dynamodb.table_names': tableName },
      },
    ];
  });
  return [
    {
      name: functionName,
      context,
      parentSpanId: put.spanId,
      startMs,
      endMs,
      attributes: { 'faas.invocation_id': requestId },
      ...(error === undefined ? {} : { error }),
    },
    ...ofDevice,
  ];
}

/** What a write means to an event: undefined for one that means nothing, and for one that another writer forestalled. */
function nameOf({ operation, outcome, item }: WriteDiagnostic): string | undefined {
  if (operation === 'insert' && outcome === 'inserted' && item.key?.S?.startsWith(PAGE_KEY))
    return 'page stored';
  return operation === 'advance' && outcome === 'advanced' ? 'state visible' : undefined;
}

/** Whether an event is a batch of a stream: the emulator invokes functions with nothing else, but anybody may invoke one. */
function isKinesisEvent(event: unknown): event is KinesisLambdaEvent {
  const records: unknown = Object(event).Records;
  return (
    Array.isArray(records) &&
    records.length > 0 &&
    records.every((one) => Object(one).eventSource === 'aws:kinesis')
  );
}

/** The traced events of a batch of a stream, in order. */
function tracedEvents(event: unknown): readonly TracedEvent[] {
  if (!isKinesisEvent(event)) return [];
  return readBatch(event).records.flatMap((record) =>
    record.data.includes(MARK) ? openRecord(record).entries.flatMap(({ data }) => tracedEvent(data)) : [],
  );
}

function tracedEvent(data: Uint8Array): TracedEvent[] {
  try {
    const { [TRACE_MEMBER]: text, deviceId } = Object(JSON.parse(Buffer.from(data).toString('utf8')));
    const put = typeof text === 'string' ? parseSampled(text) : undefined;
    return put === undefined ? [] : [{ put, deviceId: typeof deviceId === 'string' ? deviceId : undefined }];
  } catch (error) {
    // A poison record, which is the handler's business.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
