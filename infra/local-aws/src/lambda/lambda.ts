import type { S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { s3Client } from '@twinstream/aws/s3';
import { sqsClient } from '@twinstream/aws/sqs';
import { type Clock, type Logger, systemClock } from '@twinstream/runtime';
import type { FaultInjector } from '../faults/fault-rule.ts';
import { type LoopbackServer, listenOnLoopback } from '../http/loopback-server.ts';
import type { ExchangeHandler } from '../kinesis/exchange-listener.ts';
import { eventInvocations } from './event-invocations.ts';
import type { ContextFactory } from './event-source-mapping.ts';
import type { FailedBatchOrigin } from './failed-batch.ts';
import type { FailureDestination } from './failure-destination.ts';
import { faultyInvoker } from './faulty-invoker.ts';
import type { FunctionInvoker } from './function-invoker.ts';
import { httpFunctionInvoker } from './http-function-invoker.ts';
import { directTransport, httpTransport, kinesisJsonClient } from './kinesis-json-client.ts';
import { kinesisShardReader, streamExists } from './kinesis-shard-reader.ts';
import { lambdaApi } from './lambda-api.ts';
import { type Account, functionArn, LOCAL_ACCOUNT, roleArn } from './lambda-names.ts';
import { type MappingDefinition, resolvedSettings } from './mapping-definition.ts';
import { mappingFolder, memoryMappingFiles } from './mapping-files.ts';
import type { ShardMetrics } from './mapping-metrics.ts';
import { type MappingDeclaration, MappingRegistry } from './mapping-registry.ts';
import { readBudget } from './read-budget.ts';
import { recordFilter } from './record-filter.ts';
import { s3FailureDestination } from './s3-failure-destination.ts';
import { sqsFailureDestination } from './sqs-failure-destination.ts';

/** Invocations under way at close() may take this long; then they are cut off and delivered again after a restart. */
const CLOSE_GRACE_MS = 30_000;

export interface LambdaOptions {
  /** Where Kinesis listens, or Kinesis itself where it is in this process. */
  readonly kinesis: string | ExchangeHandler;
  /** Where buckets of given-up batches are; absent where no mapping has one. */
  readonly s3Url?: string;
  /** Where queues of given-up batches are: any server that speaks SQS in JSON. Absent: mappings that name a queue are refused. */
  readonly sqsUrl?: string;
  /** Addresses of function hosts by function name; undefined for one that is not up yet. */
  readonly functions: Readonly<Record<string, string | undefined>>;
  readonly mappings: readonly MappingDeclaration[];
  /** Folder that keeps mappings and checkpoints; in memory when absent. */
  readonly dataDir?: string;
  readonly injector: FaultInjector;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly account?: Account;
  readonly logger: Logger;
  readonly clock?: Clock;
}

/** What one mapping has done and where it stands. */
export interface MappingStatus {
  readonly mappingId: string;
  readonly functionName: string;
  readonly streamName: string;
  readonly state: string;
  readonly shards: Readonly<Record<string, Readonly<ShardMetrics>>>;
}

/** A running Lambda emulator: event source mappings and the API that steers them. */
export interface Lambda extends LoopbackServer {
  /** Where the function's host listens now; undefined while it is down. */
  setFunction(functionName: string, url: string | undefined): void;
  status(): readonly MappingStatus[];
}

/**
 * Starts the embedded Lambda: declared mappings begin to consume immediately, and the API listens on 127.0.0.1. close()
 * lets invocations under way finish, for at most 30 s, and makes all checkpoints durable.
 *
 * Throws `PORT_TAKEN`, `MAPPINGS_UNREADABLE` or `CHECKPOINTS_UNREADABLE`.
 */
export async function startLambda(options: LambdaOptions): Promise<Lambda> {
  const { logger, account = LOCAL_ACCOUNT, clock = systemClock } = options;
  const functions = new Map(Object.entries(options.functions));
  const knowsFunction = (name: string) => functions.has(name);
  const hosts = httpFunctionInvoker((name) => functions.get(name));
  const invoker = faultyInvoker(hosts, options.injector, clock);
  const events = eventInvocations({ invoker, clock, random: Math.random, logger });
  const streams = streamAccess(options, invoker, account, clock);
  const files =
    options.dataDir === undefined
      ? memoryMappingFiles()
      : await mappingFolder(options.dataDir, (error) =>
          logger.error({ error }, 'mappings cannot be written'),
        );
  const registry = new MappingRegistry({
    account,
    files,
    clock,
    logger,
    knowsFunction,
    hasQueues: options.sqsUrl !== undefined,
    contextOf: streams.contextOf,
    hasStream: streams.hasStream,
  });
  const server = await listenOnLoopback(
    lambdaApi({ account, registry, invoker, events, functions }),
    options.port ?? 0,
    (error) => logger.error({ error }, 'Lambda API failed'),
  );
  await registry.open(options.mappings);
  return {
    ...server,
    setFunction: (name, url) => void functions.set(name, url),
    status: () =>
      registry.list().map(({ definition, state, metrics }) => ({
        mappingId: definition.mappingId,
        functionName: definition.functionName,
        streamName: definition.streamName,
        state,
        shards: metrics.shards(),
      })),
    close: async () => {
      await server.close();
      await Promise.all([registry.close(CLOSE_GRACE_MS), events.close(CLOSE_GRACE_MS)]);
      hosts.close();
      streams.close();
    },
  };
}

/** What all mappings share: the clients of Kinesis and S3, and the calls that a shard allows. */
function streamAccess(
  options: LambdaOptions,
  invoker: FunctionInvoker,
  account: Account,
  clock: Clock,
): {
  readonly contextOf: ContextFactory;
  readonly hasStream: (streamName: string) => Promise<boolean>;
  close(): void;
} {
  const { kinesis } = options;
  const transport = typeof kinesis === 'string' ? httpTransport(kinesis) : directTransport(kinesis);
  const client = kinesisJsonClient(transport, account.region);
  const destinations = failureDestinations(options, account, clock);
  const budget = readBudget();
  const contextOf: ContextFactory = (definition, checkpoints, metrics) => {
    const { mappingId, functionName, streamName, streamArn, filters = [] } = definition;
    const origin = { mappingId, functionArn: functionArn(account, functionName), streamArn };
    return {
      mappingId,
      functionName,
      streamName,
      origin: { streamArn, region: account.region, roleArn: roleArn(account, functionName) },
      settings: resolvedSettings(definition),
      reader: kinesisShardReader(client, streamName),
      invoker,
      checkpoints,
      failureDestination: destinations.of(definition, origin),
      filter: recordFilter(filters),
      readBudget: budget,
      clock,
      random: Math.random,
      logger: options.logger,
      observe: metrics.observe,
    };
  };
  return {
    contextOf,
    hasStream: (streamName) => streamExists(client, streamName),
    close: () => {
      client.close();
      destinations.close();
    },
  };
}

/** Buckets and queues for given-up batches, at the addresses that were given. */
function failureDestinations(
  { s3Url, sqsUrl }: LambdaOptions,
  { region }: Account,
  clock: Clock,
): {
  /** Undefined where the mapping names none. Throws TypeError where it names one whose service has no address. */
  of(definition: MappingDefinition, origin: FailedBatchOrigin): FailureDestination | undefined;
  close(): void;
} {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const s3: S3Client | undefined =
    s3Url === undefined ? undefined : s3Client({ endpoint: s3Url, region, credentials });
  const sqs: SQSClient | undefined =
    sqsUrl === undefined ? undefined : sqsClient({ endpoint: sqsUrl, region, credentials });
  return {
    of: ({ failureBucket, failureQueue }, origin) => {
      if (failureBucket !== undefined) {
        if (s3 === undefined) throw new TypeError('a bucket of given-up batches needs an S3');
        return s3FailureDestination(s3, failureBucket, origin, clock);
      }
      if (failureQueue === undefined) return undefined;
      if (sqs === undefined) throw new TypeError('a queue of given-up batches needs an SQS');
      return sqsFailureDestination(sqs, failureQueue, origin, clock);
    },
    close: () => {
      s3?.destroy();
      sqs?.destroy();
    },
  };
}
