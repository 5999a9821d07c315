import { parseArgs } from 'node:util';
import { type BuildAppOptions, buildApp } from 'fauxqs';
import { runChildMain, type Served } from '../child-process/child-main.ts';
import { takeEngineFolder } from '../child-process/engine-folder.ts';
import { LOOPBACK, portTaken } from '../http/loopback-server.ts';

/** Largest object in one request: the largest buffer that Firehose delivers. fauxqs itself stops at 11 MiB. */
const OBJECT_BYTES_MAX = 128 * 1024 * 1024;

type Stores = NonNullable<BuildAppOptions['stores']>;

/** The SQLite store of fauxqs: every acknowledged object is in a committed transaction. */
interface PersistenceManager extends NonNullable<Stores['s3Store']['persistence']> {
  loadS3(store: Stores['s3Store']): void;
  close(): void;
}

/** Modules of fauxqs 2.4.1 that its package does not export. */
interface Internals {
  readonly SqsStore: new () => Stores['sqsStore'];
  readonly SnsStore: new () => Stores['snsStore'];
  readonly S3Store: new () => Stores['s3Store'];
  readonly PersistenceManager: new (dataDir: string) => PersistenceManager;
}

const { values } = parseArgs({ options: { port: { type: 'string' }, path: { type: 'string' } } });

await runChildMain(() => start(Number(values.port ?? 0), values.path));

/**
 * fauxqs' own `startFauxqs` listens on all interfaces, and its `buildApp` knows no persistence, hence this puts the
 * parts together. The folder of files that it offers is left aside: a kill while it writes leaves a file it cannot load.
 */
async function start(port: number, path: string | undefined): Promise<Served> {
  if (path !== undefined) takeEngineFolder(path);
  const parts = await internals();
  const s3Store = new parts.S3Store();
  const persistence = path === undefined ? undefined : new parts.PersistenceManager(path);
  if (persistence) {
    persistence.loadS3(s3Store);
    s3Store.persistence = persistence;
  }
  const app = buildApp({
    logger: false,
    stores: { sqsStore: new parts.SqsStore(), snsStore: new parts.SnsStore(), s3Store },
  });
  app.removeContentTypeParser('*');
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: OBJECT_BYTES_MAX }, (_request, body, done) =>
    done(null, body),
  );
  app.server.keepAliveTimeout = 0;
  try {
    const url = await app.listen({ port, host: LOOPBACK });
    return {
      url,
      close: async () => {
        await app.close();
        persistence?.close();
      },
    };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      throw portTaken(port, error);
    }
    throw error;
  }
}

async function internals(): Promise<Internals> {
  const entry = import.meta.resolve('fauxqs');
  const load = (file: string): Promise<Internals> => import(new URL(file, entry).href);
  const [{ SqsStore }, { SnsStore }, { S3Store }, { PersistenceManager }] = await Promise.all([
    load('./sqs/sqsStore.js'),
    load('./sns/snsStore.js'),
    load('./s3/s3Store.js'),
    load('./persistence.js'),
  ]);
  return { SqsStore, SnsStore, S3Store, PersistenceManager };
}
