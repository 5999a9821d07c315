import { createServer } from 'node:net';
import { LOOPBACK, portTaken } from './loopback-server.ts';

/** Resolves when the port could be bound on 127.0.0.1 just now; 0 always can. Throws `PORT_TAKEN`. */
export async function requireFreePort(port: number): Promise<void> {
  await bindOnce(port);
}

/** A port of 127.0.0.1 that was free just now. For a server whose address must be known before it starts. */
export function freePort(): Promise<number> {
  return bindOnce(0);
}

function bindOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? portTaken(port, error) : error);
    });
    server.listen(port, LOOPBACK, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port));
    });
  });
}
