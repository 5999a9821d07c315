import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { CodedError } from '@twinstream/runtime';
import type { Exposition } from './exposition.ts';
import { processRegistry } from './process-registry.ts';
import { addScrapedMetrics, type ScrapedMetric } from './scraped-metric.ts';

/** Where Prometheus looks by default. */
export const METRICS_PATH = '/metrics' as const;

const LOOPBACK = '127.0.0.1';
/** A page from elsewhere that has its own name resolve to 127.0.0.1 (DNS rebinding) is told apart by that name. */
const LOOPBACK_HOST = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;

/**
 * The metrics of this process beside those of every process. Nothing is loaded, and nothing counted, before the first call: metrics are
 * read from counts that are kept anyway.
 */
export function processExposition(
  process: string,
  metrics: readonly ScrapedMetric[],
): () => Promise<Exposition> {
  let loading: ReturnType<typeof load> | undefined;
  const load = async () => {
    const registry = await processRegistry(process);
    await addScrapedMetrics(registry, metrics);
    return registry;
  };
  return async () => {
    loading ??= load();
    const registry = await loading;
    return { contentType: registry.contentType, text: await registry.metrics() };
  };
}

export interface MetricsServer {
  /** Whole, with its path. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves `/metrics` on 127.0.0.1, for a process that serves nothing else. Port 0 takes a free one. Rejects with `PORT_TAKEN`. */
export async function serveMetrics(expose: () => Promise<Exposition>, port: number): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    answer(request, response, expose).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  await listen(server, port);
  // It must not keep a process alive that has nothing else to do.
  server.unref();
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
  return {
    url: `http://${LOOPBACK}:${address.port}${METRICS_PATH}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers a request for metrics, or says that there is nothing else. */
async function answer(
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
  expose: () => Promise<Exposition>,
): Promise<void> {
  const plain = (status: number, text: string) =>
    response.writeHead(status, { 'content-type': 'text/plain' }).end(`${text}\n`);
  if (headers.host !== undefined && !LOOPBACK_HOST.test(headers.host)) {
    plain(421, 'this server serves this machine alone');
  } else if (url !== METRICS_PATH) plain(404, `the only resource is ${METRICS_PATH}`);
  else if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    plain(405, 'use GET');
  } else {
    const { contentType, text } = await expose();
    response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' }).end(text);
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const message = `port ${port} is taken: choose another, or stop what listens there`;
      reject(cause.code === 'EADDRINUSE' ? new CodedError('PORT_TAKEN', message, { cause }) : cause);
    });
    server.listen(port, LOOPBACK, resolve);
  });
}
