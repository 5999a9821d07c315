import { CodedError } from '@twinstream/runtime';
import type { FaultRule } from '../faults/fault-rule.ts';
import { parseFaultRules } from '../faults/fault-rules-document.ts';
import { createFaultInjector, type FaultRuleReport } from '../faults/seeded-fault-injector.ts';
import type { KinesisCounters } from './kinesis-counters.ts';
import { type KinesisServer, startKinesis } from './kinesis-server.ts';
import type { ShardRecords } from './stored-records.ts';

const REGION = 'us-east-1';

/** All have a default. */
export interface LocalKinesisOptions {
  /** The stream that is there when the server is: `local` by default. Clients may create others. */
  readonly stream?: string;
  /** Its shards: 1–1,000, default 1. A stream that `dataDir` holds already keeps its own. */
  readonly shards?: number;
  /** Port on 127.0.0.1; 0, the default, takes a free one. */
  readonly port?: number;
  /** Port on 127.0.0.1 for TLS, for clients that refuse anything else; 0 takes a free one. None by default. */
  readonly tlsPort?: number;
  /** Folder that keeps streams and records across restarts, created when absent. Without it all is gone at `close`. */
  readonly dataDir?: string;
  /** Faults to inject, by seeds: the same requests meet the same faults. Default: none. */
  readonly faults?: readonly FaultRule[];
  /** Enforces the per-second limits of shards: true by default. */
  readonly limitsEnforced?: boolean;
}

/** A Kinesis Data Streams server in this process. */
export interface LocalKinesis extends AsyncDisposable {
  /** The endpoint: HTTP/1.1 and cleartext HTTP/2. */
  readonly url: string;
  readonly port: number;
  /** The TLS endpoint, and the certificate of the authority to trust, in PEM: both are made at each start. Undefined without `tlsPort`. */
  readonly tls: { readonly url: string; readonly ca: string } | undefined;
  readonly stream: string;
  /** Variables by which any AWS client finds it. Nothing here sets them. */
  readonly environment: Readonly<Record<string, string>>;
  /** What each shard of a stream holds, closed shards included, read past all limits; of `stream` by default. Throws RangeError when there is no such stream. */
  records(stream?: string): readonly ShardRecords[];
  /** Replaces all faults. Throws `INVALID_FAULT_RULES`, with every invalid field. */
  setFaults(faults: readonly FaultRule[]): void;
  /** Each fault rule, with how often it was drawn for and injected. */
  faultReport(): readonly FaultRuleReport[];
  counters(): KinesisCounters;
  /** Answers open requests (for at most 2 s), and closes all connections and files. */
  close(): Promise<void>;
}

/**
 * Starts a local Kinesis with one stream, `ACTIVE` when this resolves.
 *
 * Rejects with `INVALID_FAULT_RULES`, `INVALID_LOCAL_KINESIS` (name or shards), `PORT_TAKEN`, `DATA_DIR_IN_USE` or `DATA_DIR_UNWRITABLE`.
 */
export async function startLocalKinesis(options: LocalKinesisOptions = {}): Promise<LocalKinesis> {
  const { stream = 'local', shards = 1, faults = [], ...serverOptions } = options;
  const rules = checkedRules(faults);
  const injector = createFaultInjector();
  const server = await startKinesis({
    ...serverOptions,
    region: REGION,
    transitionMs: 0,
    faults: injector,
  });
  try {
    await createStream(server, stream, shards);
  } catch (error) {
    await server.close();
    throw error;
  }
  injector.replace(rules);
  return {
    url: server.url,
    port: server.port,
    tls: server.tls,
    stream,
    environment: {
      AWS_ENDPOINT_URL_KINESIS: server.url,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
    },
    records: (name = stream) => server.records(name),
    setFaults: (next) => injector.replace(checkedRules(next)),
    faultReport: () => injector.report(),
    counters: () => server.counters(),
    close: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

function checkedRules(faults: readonly FaultRule[]): readonly FaultRule[] {
  const parsed = parseFaultRules({ rules: faults });
  if (parsed.kind === 'rules') return parsed.rules;
  const fields = parsed.faults.map(({ field, message }) => `${field}: ${message}`);
  throw new CodedError('INVALID_FAULT_RULES', `fault rules are invalid\n  ${fields.join('\n  ')}`);
}

/** As a client does it. A stream that is there already stays as it is. */
async function createStream(server: KinesisServer, name: string, shardCount: number): Promise<void> {
  const headers: Readonly<Record<string, string>> = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'Kinesis_20131202.CreateStream',
  };
  const answer = await server.exchange({
    method: 'POST',
    path: '/',
    header: (header) => headers[header],
    body: Buffer.from(JSON.stringify({ StreamName: name, ShardCount: shardCount })),
  });
  if (answer?.status === 200 || answer?.headers['x-amzn-errortype']?.includes('ResourceInUse')) return;
  throw new CodedError('INVALID_LOCAL_KINESIS', `the stream cannot be created: ${answer?.body}`);
}
