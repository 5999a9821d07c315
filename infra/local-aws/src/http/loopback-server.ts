import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { CodedError } from '@twinstream/runtime';
import { isForThisMachine } from './local-host.ts';

/** Everything local listens here and nowhere else. */
export const LOOPBACK = '127.0.0.1';

/** Requests that are open at close() get this long to be answered, then their connections are cut. */
const CLOSE_GRACE_MS = 5_000;
const CLOSE_SWEEP_MS = 20;

/** A server on loopback. */
export interface LoopbackServer {
  readonly url: string;
  readonly port: number;
  /** Answers what is open (for at most 5 s), then closes all connections. */
  close(): Promise<void>;
}

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Listens on 127.0.0.1 at `port` (0 takes a free one), for requests that name this machine as their host. A handler that throws cuts its connection after `onError` was
 * told. Throws `PORT_TAKEN` when another process listens there.
 */
export async function listenOnLoopback(
  handler: RequestHandler,
  port: number,
  onError: (error: unknown) => void,
): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    if (!isForThisMachine(request.headers)) {
      answer(response, 421, { 'content-type': 'text/plain' }, 'this server serves this machine alone\n');
      return;
    }
    handler(request, response).catch((error: unknown) => {
      onError(error);
      response.destroy();
    });
  });
  // A keep-alive connection may idle as long as a client keeps it: SDKs reuse sockets for minutes.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  await listen(server, port);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
  return {
    url: `http://${LOOPBACK}:${address.port}`,
    port: address.port,
    close: () => closeServer(server, CLOSE_GRACE_MS),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? portTaken(port, error) : error);
    });
    server.listen(port, LOOPBACK, resolve);
  });
}

export function portTaken(port: number, cause?: unknown): CodedError {
  return new CodedError('PORT_TAKEN', `port ${port} is taken by another process`, { cause });
}

/** A connection becomes idle when its last answer is out, and only idle ones may be closed immediately. */
function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const sweep = setInterval(() => server.closeIdleConnections(), CLOSE_SWEEP_MS);
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearInterval(sweep);
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Reads a whole body. Resolves to undefined, and discards the rest, when it is longer than `bytesMax`. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part: Buffer = chunk;
    bytes += part.length;
    if (bytes <= bytesMax) chunks.push(part);
  }
  return bytes > bytesMax ? undefined : Buffer.concat(chunks, bytes);
}

/** Answers with a body of known length. */
export function answer(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
