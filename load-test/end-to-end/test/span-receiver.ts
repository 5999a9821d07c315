import { once } from 'node:events';
import { createServer } from 'node:http';
import { z } from 'zod';

const spanSchema = z.object({
  name: z.string(),
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z.string().optional(),
  startTimeUnixNano: z.string().regex(/^\d+$/),
  endTimeUnixNano: z.string().regex(/^\d+$/),
});
const requestSchema = z.object({
  resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(spanSchema) })) })),
});

/** A receiver of OTLP over HTTP in this process. */
export interface SpanReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  /** What has come so far. */
  readonly spans: readonly z.infer<typeof spanSchema>[];
  forget(): void;
  close(): void;
}

export async function startSpanReceiver(): Promise<SpanReceiver> {
  const spans: z.infer<typeof spanSchema>[] = [];
  const server = createServer(async (request, response) => {
    const { resourceSpans } = requestSchema.parse(
      JSON.parse(Buffer.concat(await request.toArray()).toString()),
    );
    spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
  return {
    url: `http://127.0.0.1:${address.port}`,
    spans,
    forget: () => void spans.splice(0),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
