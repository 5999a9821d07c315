import { createServer as createHttp1Server, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createServer as createHttp2Server,
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { isForThisMachine } from '../http/local-host.ts';
import { LOOPBACK, portTaken } from '../http/loopback-server.ts';
import type { ApiRequest, ApiResponse } from './request-handling.ts';
import type { TlsIdentity } from './tls-identity.ts';

/** 10 MiB of records in Base64, with keys and names: longer requests are refused unread. */
const BODY_BYTES_MAX = 24 * 1024 * 1024;
/** How far a client may send ahead on HTTP/2; the protocol's 64 KiB would cost a round trip each. */
const HTTP2_WINDOW_BYTES = 16 * 1024 * 1024;
const HTTP2_OPTIONS = {
  settings: { initialWindowSize: HTTP2_WINDOW_BYTES },
  /** In MB. */
  maxSessionMemory: 256,
};
/** Requests that are open at close() get this long to be answered, then their connections are cut. */
const CLOSE_GRACE_MS = 2_000;

/** Every HTTP/2 connection begins so (RFC 9113, section 3.4); no HTTP/1 method does. */
const HTTP2_LEAD = Buffer.from('PRI * HTTP/2.0');

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** Undefined ends the connection without an answer. */
export type ExchangeHandler = (request: ApiRequest) => Promise<ApiResponse | undefined>;

/** A second port, for TLS. */
export interface TlsPort {
  /** 0 takes a free one. */
  readonly port: number;
  readonly identity: TlsIdentity;
}

export interface ExchangeListener {
  readonly port: number;
  /** Undefined without TLS. */
  readonly tlsPort: number | undefined;
  /** Takes no more requests, answers what is open (for at most 2 s) and closes all connections. */
  close(): Promise<void>;
}

/**
 * Listens on 127.0.0.1 for HTTP/1.1 and for HTTP/2 without TLS, told apart by a connection's first bytes. Throws
 * `PORT_TAKEN` when another process has the port; 0 takes a free one. With `tls` it also listens for both over TLS, told apart by ALPN. What goes wrong with one exchange is told
 * `onError`, and ends its connection.
 */
export async function listenForExchanges(
  handle: ExchangeHandler,
  port: number,
  onError: (error: unknown) => void,
  tls?: TlsPort,
): Promise<ExchangeListener> {
  const sockets = new Set<Socket>();
  const open = new Set<Promise<void>>();
  const onRequest = (request: Request, response: Response) => {
    if (!isForThisMachine(request.headers)) {
      response.statusCode = 421;
      response.end();
      return;
    }
    const exchanged = exchange(request, response, handle)
      .catch((error: unknown) => {
        onError(error);
        cutConnection(request);
      })
      .finally(() => open.delete(exchanged));
    open.add(exchanged);
  };
  const http1 = createHttp1Server({ keepAliveTimeout: 0, requestTimeout: 0 }, onRequest);
  const http2 = createHttp2Server(HTTP2_OPTIONS, onRequest);
  http2.on('session', widen);
  const remember = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    remember(socket);
    handOver(socket, (isHttp2) => (isHttp2 ? http2 : http1).emit('connection', socket));
  });
  await listen(server, port);
  if (tls === undefined) {
    return { port: portOf(server), tlsPort: undefined, close: () => close([server], sockets, open) };
  }
  const { key, cert } = tls.identity;
  const secure = createSecureServer({ ...HTTP2_OPTIONS, allowHTTP1: true, key, cert }, onRequest);
  secure.on('connection', remember);
  secure.on('session', widen);
  await listen(secure, tls.port).catch(async (error: unknown) => {
    await close([server], sockets, open);
    throw error;
  });
  return {
    port: portOf(server),
    tlsPort: portOf(secure),
    close: () => close([server, secure], sockets, open),
  };
}

function widen(session: ServerHttp2Session): void {
  session.setLocalWindowSize(HTTP2_WINDOW_BYTES);
  // A connection that breaks ends its session, and its requests hear of it themselves.
  session.on('error', () => session.destroy());
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
  return address.port;
}

/** Looks at a connection's first bytes and puts them back. A connection that ends before is nobody's. */
function handOver(socket: Socket, take: (isHttp2: boolean) => void): void {
  const ignore = () => socket.destroy();
  socket.on('error', ignore);
  const look = () => {
    const bytes: Buffer | null = socket.read();
    if (bytes === null) return;
    const compared = Math.min(bytes.length, HTTP2_LEAD.length);
    const mayBeHttp2 = bytes.subarray(0, compared).equals(HTTP2_LEAD.subarray(0, compared));
    socket.unshift(bytes);
    if (mayBeHttp2 && compared < HTTP2_LEAD.length) return;
    socket.off('readable', look);
    socket.off('error', ignore);
    take(mayBeHttp2);
  };
  socket.on('readable', look);
}

async function exchange(request: Request, response: Response, handle: ExchangeHandler): Promise<void> {
  const finished = new Promise<void>((resolve) => response.once('close', resolve));
  const body = await readBody(request);
  if (body === 'broken off') return;
  const answer = await handle({
    method: request.method ?? '',
    path: request.url ?? '',
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
    body: body === 'too long' ? undefined : body,
  });
  if (answer === undefined) {
    cutConnection(request);
    return;
  }
  // A client may have gone away, with this request alone, while it was served.
  if (response.destroyed) return;
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  if (answer.events) await writeEvents(response, answer.events);
  response.end(answer.body);
  await finished;
}

/** Passes events on as fast as the client takes them, until they end or the client goes away. */
async function writeEvents(response: Writable, events: NonNullable<ApiResponse['events']>): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  for await (const chunk of events(gone.signal)) {
    if (gone.signal.aborted) return;
    if (response.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      response.once('drain', resolve);
      gone.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}

function readBody(request: Request): Promise<Buffer | 'too long' | 'broken off'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
    });
    request.once('end', () => resolve(bytes > BODY_BYTES_MAX ? 'too long' : Buffer.concat(chunks, bytes)));
    request.once('error', () => resolve('broken off'));
    request.once('close', () => resolve('broken off'));
  });
}

/** Ends the whole connection, as a lost network does, with whatever else it carries. */
function cutConnection(request: Request): void {
  if ('stream' in request) request.stream.session?.destroy();
  else request.socket.destroy();
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? portTaken(port, error) : error);
    });
    server.listen(port, LOOPBACK, resolve);
  });
}

async function close(
  servers: readonly Server[],
  sockets: ReadonlySet<Socket>,
  open: ReadonlySet<Promise<void>>,
): Promise<void> {
  const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
  const { promise: grace, resolve: endGrace } = Promise.withResolvers<void>();
  const timer = setTimeout(endGrace, CLOSE_GRACE_MS);
  await Promise.race([Promise.all(open), grace]);
  clearTimeout(timer);
  for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
}
