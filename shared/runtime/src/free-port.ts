import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Ports below those that systems give to outgoing connections: 32,768-60,999 on Linux (ip(7), `ip_local_port_range`),
 * 49,152-65,535 by RFC 6335 elsewhere. One of those may be gone before the server that it was chosen for listens.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_767;
const TRIES_MAX = 100;

/**
 * A port of 127.0.0.1 that was free just now, by chance, so that others who choose at the same time choose another. For a
 * server whose address must be known before it starts. Throws where a hundred are taken.
 *
 * @param draw names a port to try
 */
export async function freePort(draw = () => randomInt(FIRST_PORT, LAST_PORT + 1)): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = draw();
    if (await canListen(port)) return port;
  }
  throw new Error(`no free port of 127.0.0.1 from ${FIRST_PORT} to ${LAST_PORT} in ${TRIES_MAX} tries`);
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
