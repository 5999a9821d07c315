import { createServer } from 'node:net';
import { LOOPBACK, portTaken } from './loopback-server.ts';

/** Resolves when the port could be bound on 127.0.0.1 just now; 0 always can. Throws `PORT_TAKEN`. */
export function requireFreePort(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? portTaken(port, error) : error);
    });
    server.listen(port, LOOPBACK, () => server.close(() => resolve()));
  });
}
