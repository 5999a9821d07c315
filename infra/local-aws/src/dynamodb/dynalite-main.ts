import { parseArgs } from 'node:util';
import { createEmbeddedDynamoDb } from '@twinstream/embedded-dynamodb';
import { createLogger } from '@twinstream/runtime';
import { runChildMain, type Served } from '../child-process/child-main.ts';
import { takeEngineFolder } from '../child-process/engine-folder.ts';
import { LOOPBACK } from '../http/loopback-server.ts';
import { startDynamoDbFrontEnd } from './dynamodb-front-end.ts';

/** Tables change state immediately; AWS takes seconds, and waiting for that here would prove nothing. */
const TABLE_STATE_MS = 0;

const { values } = parseArgs({ options: { port: { type: 'string' }, path: { type: 'string' } } });

await runChildMain(() => start(Number(values.port ?? 0), values.path));

async function start(port: number, path: string | undefined): Promise<Served> {
  if (path !== undefined) takeEngineFolder(path);
  const server = createEmbeddedDynamoDb({
    createTableMs: TABLE_STATE_MS,
    deleteTableMs: TABLE_STATE_MS,
    updateTableMs: TABLE_STATE_MS,
    ...(path === undefined ? {} : { path }),
  });
  // The front end keeps its connections; a server that closes idle ones would break requests under way.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, LOOPBACK, () => resolve());
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
  const frontEnd = await startDynamoDbFrontEnd({
    port,
    upstreamUrl: `http://${LOOPBACK}:${address.port}`,
    // As if the request had come to its own port: another hop would cost as much as dynalite's work on it.
    serve: async (request, response) => {
      server.emit('request', request, response);
    },
    logger: createLogger('dynamodb', 'warn'),
  });
  return {
    url: frontEnd.url,
    close: async () => {
      await frontEnd.close();
      await new Promise<void>((resolve, reject) => {
        server.close((error?: Error) => (error ? reject(error) : resolve()));
        server.closeIdleConnections();
      });
    },
  };
}
