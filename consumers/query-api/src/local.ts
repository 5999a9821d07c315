import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { PROBLEMS } from '@twinstream/api-contract';
import { CodedError } from '@twinstream/runtime';
import { type Access, loopbackAccess } from './access.ts';
import { ENDPOINTS, READ_ENDPOINTS } from './app.ts';
import { httpApp } from './http-app.ts';
import type { ApiMetrics } from './metrics/api-metrics.ts';
import { metricsEndpoint } from './metrics/metrics-endpoint.ts';
import { problemDocument, problemResponse } from './problem.ts';
import type { QueryApiServices } from './services.ts';
import { staticFiles } from './static-files.ts';

export interface LocalQueryApiOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly services: QueryApiServices;
  /** Folder of the built dashboard; without it there is no page. */
  readonly dashboardDir?: string;
  /** Callers must bring it as bearer token. Default: none is needed. */
  readonly token?: string;
  /**
   * Who may read, for a server that other machines reach: it listens on all addresses, and takes no corrections. Default: it
   * listens on loopback alone.
   */
  readonly access?: Access;
  /** Other origins whose pages may read. Default: none. */
  readonly origins?: readonly string[];
  /** Counts requests, and answers `/metrics`. Default: there is no such path. */
  readonly metrics?: ApiMetrics;
}

export interface LocalQueryApi {
  /** Without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** Takes no new requests, ends the update streams, and resolves when what is on its way is answered, or after `drainMs` at most. */
  close(drainMs?: number): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const ALL_ADDRESSES = '0.0.0.0';
const DRAIN_MS = 5_000;
/** A resume token may take 14,000 characters of a query or of a header. */
const HEADER_BYTES_MAX = 32 * 1024;
/** Longer than the 60 s for which a load balancer keeps a connection that is idle, so that it closes first ("Connection idle timeout", ELB, read 2026-12). */
const KEEP_ALIVE_MS = 75_000;

/** Serves the API, and the page where there is one, on loopback unless an access is given. Rejects with `PORT_TAKEN` when something listens there. */
export async function startQueryApi(options: LocalQueryApiOptions): Promise<LocalQueryApi> {
  const { port, services, dashboardDir, token, access, origins = [], metrics } = options;
  const host = access === undefined ? LOOPBACK : ALL_ADDRESSES;
  const app = httpApp(
    [
      ...(access === undefined ? ENDPOINTS : READ_ENDPOINTS),
      ...(metrics === undefined ? [] : [metricsEndpoint(metrics)]),
    ],
    services,
    access ?? loopbackAccess({ origins, ...(token === undefined ? {} : { token }) }),
    origins,
    metrics?.observe,
  );
  if (dashboardDir !== undefined) app.get('*', staticFiles(dashboardDir));
  const listener = getRequestListener(app.fetch, {
    errorHandler: () =>
      problemResponse('BAD_REQUEST', { detail: 'the request line or its Host cannot be read' }),
  });
  const server = createServer(
    // Node's own answer to a request without a Host would be no problem document.
    { maxHeaderSize: HEADER_BYTES_MAX, keepAliveTimeout: KEEP_ALIVE_MS, requireHostHeader: false },
    (request, response) => {
      // A target with a host of its own is for proxies, and would go round the check of Host.
      if (request.url?.startsWith('/') === true) void listener(request, response);
      else refuse(response, 'the target of a request must be a path');
    },
  );
  server.on('clientError', refuseUnreadable);
  const boundPort = await listen(server, host, port);
  return {
    url: `http://${host}:${boundPort}`,
    port: boundPort,
    close: async (drainMs = DRAIN_MS) => {
      const closed = close(server, drainMs);
      services.updates.close();
      await closed;
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const message = `port ${port} is taken: choose another, or stop what listens there`;
      reject(cause.code === 'EADDRINUSE' ? new CodedError('PORT_TAKEN', message, { cause }) : cause);
    });
    server.listen(port, host, () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new TypeError('the server has no port'));
      else resolve(address.port);
    });
  });
}

function close(server: Server, drainMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const force = setTimeout(() => server.closeAllConnections(), drainMs);
    server.close((error) => {
      clearTimeout(force);
      if (error === undefined) resolve();
      else reject(error);
    });
    server.closeIdleConnections();
  });
}

function refuse(response: ServerResponse, detail: string): void {
  const body = JSON.stringify(problemDocument('BAD_REQUEST', { detail }));
  response.writeHead(PROBLEMS.BAD_REQUEST.status, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  });
  response.end(body);
}

/** Bytes that are no HTTP request get a problem document, too, and the connection ends. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const code = isTooLarge ? 'HEADERS_TOO_LARGE' : 'BAD_REQUEST';
  const detail = isTooLarge ? `the limit is ${HEADER_BYTES_MAX} bytes` : 'this is not an HTTP request';
  const problem = problemDocument(code, { detail });
  const body = JSON.stringify(problem);
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${isTooLarge ? 'Request Header Fields Too Large' : 'Bad Request'}`,
      'content-type: application/problem+json',
      `content-length: ${Buffer.byteLength(body)}`,
      'cache-control: no-store',
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
