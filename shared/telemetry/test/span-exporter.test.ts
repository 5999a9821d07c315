import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  formatTraceparent,
  newTraceContext,
  openSpanExporter,
  parseSampled,
  type Span,
} from '../src/index.ts';

interface Received {
  readonly path: string | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: unknown;
}

let server: Server;
let received: Received[];
let url: string;

beforeEach(async () => {
  received = [];
  server = createServer(async (request, response) => {
    const body = JSON.parse(Buffer.concat(await request.toArray()).toString());
    received.push({ path: request.url, headers: request.headers, body });
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

const SPAN: Span = {
  name: 'put',
  context: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' },
  startMs: 1_790_000_000_000.25,
  endMs: 1_790_000_000_002,
  attributes: { 'device.id': 'bus-1', attempts: 1 },
};

test('spans go as OTLP JSON to where the standard variables say, with their headers and attributes', async () => {
  const failures: unknown[] = [];
  const exporter = openSpanExporter(
    'simulator',
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/`,
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%20key',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    },
    (error) => failures.push(error),
  );
  exporter?.add(SPAN);
  exporter?.add({ ...SPAN, parentSpanId: '00f067aa0ba902b7', error: 'EVENT_EXPIRED' });
  await exporter?.flush();
  expect(failures).toEqual([]);
  const span = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    name: 'put',
    kind: 1,
    startTimeUnixNano: '1790000000000250000',
    endTimeUnixNano: '1790000000002000000',
    attributes: [
      { key: 'device.id', value: { stringValue: 'bus-1' } },
      { key: 'attempts', value: { intValue: '1' } },
    ],
  };
  expect(received).toMatchObject([
    {
      path: '/v1/traces',
      headers: { 'content-type': 'application/json', 'api-key': 'a key' },
      body: {
        resourceSpans: [
          {
            resource: {
              attributes: [
                { key: 'service.name', value: { stringValue: 'simulator' } },
                { key: 'deployment.environment.name', value: { stringValue: 'test' } },
              ],
            },
            scopeSpans: [
              {
                spans: [
                  span,
                  {
                    ...span,
                    parentSpanId: '00f067aa0ba902b7',
                    status: { code: 2, message: 'EVENT_EXPIRED' },
                  },
                ],
              },
            ],
          },
        ],
      },
    },
  ]);
});

test('there is no exporter without an endpoint, or where traces are switched off', () => {
  const open = (environment: Readonly<Record<string, string>>) =>
    openSpanExporter('test', environment, () => undefined);
  expect(open({})).toBeUndefined();
  expect(open({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_SDK_DISABLED: 'true' })).toBeUndefined();
  expect(open({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_TRACES_EXPORTER: 'none' })).toBeUndefined();
  expect(open({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/mine` })).toBeDefined();
});

test('a receiver that is away is said once, and nothing waits for it', async () => {
  const failures: unknown[] = [];
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
  const exporter = openSpanExporter('test', endpoint, (error) => failures.push(error));
  for (let time = 0; time < 2; time += 1) {
    exporter?.add(SPAN);
    await exporter?.flush();
  }
  expect(failures).toHaveLength(1);
});

test('a traceparent is read as it is written, and only where it is sampled', () => {
  const context = newTraceContext();
  const text = formatTraceparent(context);
  expect(parseSampled(text)).toEqual(context);
  expect(parseSampled(text.replace(/01$/, '00'))).toBeUndefined();
  for (const other of ['', text.toUpperCase(), `${text}-x`, `00-${'0'.repeat(32)}-b7ad6b7169203331-01`]) {
    expect(parseSampled(other)).toBeUndefined();
  }
});

test('a header that is not percent-encoded is an invalid configuration, which is named', () => {
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_HEADERS: 'api-key=100%' };
  expect(() => openSpanExporter('simulator', environment, () => undefined)).toThrow(
    expect.objectContaining({
      code: 'INVALID_CONFIGURATION',
      message: expect.stringContaining('OTEL_EXPORTER_OTLP_HEADERS'),
    }),
  );
});
