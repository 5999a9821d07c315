import { type Clock, createLogger, type Logger, systemClock } from '@twinstream/runtime';
import type { FaultInjector } from '../faults/fault-rule.ts';
import { LOOPBACK } from '../http/loopback-server.ts';
import { ActiveSubscriptions } from './active-subscriptions.ts';
import { type ExchangeHandler, listenForExchanges } from './exchange-listener.ts';
import { type KinesisCounters, newCounters } from './kinesis-counters.ts';
import type { KinesisService } from './operation.ts';
import { handleRequest } from './request-handling.ts';
import { type ShardRecords, storedRecords } from './stored-records.ts';
import { StreamStore } from './stream-store.ts';
import { makeTlsIdentity } from './tls-identity.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const TRIM_EVERY_MS = 5_000;
const TRANSITION_MS = 50;

export interface KinesisServerOptions {
  /** Port on 127.0.0.1; 0, the default, takes a free one. */
  readonly port?: number;
  /** Port on 127.0.0.1 for TLS, with a certificate that is made at each start; 0 takes a free one. None by default. */
  readonly tlsPort?: number;
  /**
   * Folder that keeps streams and records, created when absent. Whatever was acknowledged is there again after
   * close() and after the process was killed; only a loss of power may take the last. Without it all is gone at close.
   */
  readonly dataDir?: string;
  /**
   * Memory for records, in bytes: their data and partition keys, 22 bytes more for each, 16 for each request and shard,
   * and up to as much again in spare capacity, but no more than 4 MiB a shard. With `dataDir` it is a cache, by default
   * 256 MiB. Without, it is all there is, by default 1 GiB: records that do not fit are refused with
   * `InternalFailure`, because none may vanish before its retention ends.
   */
  readonly recordMemoryBytesMax?: number;
  /** How long a stream stays CREATING, UPDATING or DELETING, in ms: 50 by default, 0 for none. */
  readonly transitionMs?: number;
  /** Enforces the per-second limits of shards: true by default. The limits of single requests always hold. */
  readonly limitsEnforced?: boolean;
  /** `us-east-1` by default. */
  readonly region?: string;
  /** Twelve digits, `000000000000` by default. */
  readonly accountId?: string;
  /** Injects faults; none by default. */
  readonly faults?: FaultInjector;
  readonly clock?: Clock;
  /** Draws from [0, 1): gaps between sequence numbers, codes of injected failures. */
  readonly random?: () => number;
  readonly logger?: Logger;
}

export interface KinesisServer {
  /** For `AWS_ENDPOINT_URL_KINESIS`: HTTP/1.1 and cleartext HTTP/2. */
  readonly url: string;
  readonly port: number;
  /** The TLS port; undefined when there is none. */
  readonly tls: { readonly url: string; readonly ca: string } | undefined;
  /** Serves a request of this process as it would come over the wire. */
  readonly exchange: ExchangeHandler;
  counters(): KinesisCounters;
  /**
   * What each shard of a stream holds, in order of shards, closed ones included. Throws RangeError when there is no
   * such stream.
   */
  records(streamName: string): readonly ShardRecords[];
  /** Answers open requests (for at most 2 s), closes all connections and files. */
  close(): Promise<void>;
}

/**
 * Starts a server of the Kinesis Data Streams API in this process. Throws `PORT_TAKEN`, `DATA_DIR_IN_USE`,
 * `DATA_DIR_UNWRITABLE`, `KINESIS_STREAM_DOCUMENT_INVALID`, `KINESIS_SEGMENT_CORRUPT`.
 */
export async function startKinesis(options: KinesisServerOptions = {}): Promise<KinesisServer> {
  const service = openService(options);
  const { store, logger } = service;
  const closing = new AbortController();
  const handling = { service, faults: options.faults, closing: closing.signal };
  const trimming = setInterval(() => trim(store, logger), TRIM_EVERY_MS);
  trimming.unref();
  const stop = () => {
    clearInterval(trimming);
    store.close();
  };
  const exchange: ExchangeHandler = (request) => handleRequest(handling, request);
  const identity = options.tlsPort === undefined ? undefined : await makeTlsIdentity(Date.now());
  const listener = await listenForExchanges(
    exchange,
    options.port ?? 0,
    (error) => logger.error({ error }, 'an exchange with a client failed'),
    identity && { port: options.tlsPort ?? 0, identity },
  ).catch((error: unknown) => {
    stop();
    throw error;
  });
  let closed: Promise<void> | undefined;
  return {
    url: `http://${LOOPBACK}:${listener.port}`,
    port: listener.port,
    tls: identity && { url: `https://localhost:${listener.tlsPort}`, ca: identity.ca },
    exchange,
    counters: () => structuredClone(service.counters),
    records: (streamName) => storedRecords(store, streamName),
    close: () => {
      closing.abort(new Error('the server is closing'));
      closed ??= listener.close().then(stop);
      return closed;
    },
  };
}

function openService(options: KinesisServerOptions): KinesisService {
  const { dataDir } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const logger = options.logger ?? createLogger('kinesis', 'warn');
  const store = new StreamStore({
    dataDir,
    memoryBytesMax: options.recordMemoryBytesMax ?? (dataDir === undefined ? GIB : 256 * MIB),
    transitionMs: options.transitionMs ?? TRANSITION_MS,
    clock,
    random,
    logger,
  });
  return {
    store,
    subscriptions: new ActiveSubscriptions(),
    account: { commitment: undefined },
    region: options.region ?? 'us-east-1',
    accountId: options.accountId ?? '000000000000',
    limitsEnforced: options.limitsEnforced ?? true,
    clock,
    random,
    counters: newCounters(),
    logger,
  };
}

/** What cannot be deleted now is tried again the next time. */
function trim(store: StreamStore, logger: Logger): void {
  try {
    store.trimAll();
  } catch (error) {
    logger.error({ error }, 'expired records could not be deleted');
  }
}
