import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { CodedError } from '@twinstream/runtime';
import { createApp } from './app.ts';
import type { QueryApiServices } from './services.ts';
import { staticFiles } from './static-files.ts';

export interface LocalQueryApiOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly services: QueryApiServices;
  /** Folder of the built dashboard; without it there is no page. */
  readonly dashboardDir?: string;
}

export interface LocalQueryApi {
  /** Without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** Takes no new requests, and resolves when those on their way are answered, or after `drainMs` at most. */
  close(drainMs?: number): Promise<void>;
}

const HOST = '127.0.0.1';
const DRAIN_MS = 5_000;

/** Serves the API, and the page where there is one, on loopback. Rejects with `PORT_TAKEN` when another process listens there. */
export async function startQueryApi({
  port,
  services,
  dashboardDir,
}: LocalQueryApiOptions): Promise<LocalQueryApi> {
  const app = createApp(services);
  if (dashboardDir !== undefined) app.get('*', staticFiles(dashboardDir));
  const server = createServer(getRequestListener(app.fetch));
  const boundPort = await listen(server, port);
  return {
    url: `http://${HOST}:${boundPort}`,
    port: boundPort,
    close: (drainMs = DRAIN_MS) => close(server, drainMs),
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE';
      reject(
        taken
          ? new CodedError(
              'PORT_TAKEN',
              `port ${port} is taken: choose another, or stop what listens there`,
              { cause },
            )
          : cause,
      );
    });
    server.listen(port, HOST, () => {
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
