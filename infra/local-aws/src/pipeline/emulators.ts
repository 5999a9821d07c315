import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { s3Client } from '@twinstream/aws/s3';
import { NAMES, PROJECT_MAPPING_SETTINGS } from '@twinstream/pipeline-settings';
import type { Logger } from '@twinstream/runtime';
import { METRICS_PATH, processExposition } from '@twinstream/telemetry';
import { faultControl } from '../faults/fault-control.ts';
import { remoteFaults } from '../faults/remote-faults.ts';
import { createFaultInjector } from '../faults/seeded-fault-injector.ts';
import { startFirehose } from '../firehose/firehose.ts';
import { listenOnLoopback } from '../http/loopback-server.ts';
import { withMetrics } from '../http/metrics-resource.ts';
import { startKinesis } from '../kinesis/index.ts';
import { startLambda } from '../lambda/lambda.ts';
import { ensureBucket } from '../s3/s3.ts';
import { startS3Proxy } from '../s3/s3-proxy.ts';
import { emulatorMetrics } from './emulator-metrics.ts';
import { type EmulatorUrls, LOCAL_CREDENTIALS, LOCAL_REGION } from './names.ts';
import { provision } from './provision.ts';

export interface EmulatorsOptions {
  /** Address of the front end of DynamoDB. */
  readonly dynamoDbUrl: string;
  /** Address of the S3 engine that the fault proxy forwards to. */
  readonly s3Url: string;
  /** Addresses of the function hosts, by function name; they need not be up yet. */
  readonly functions: Readonly<Record<string, string>>;
  readonly shardCount: number;
  /** Window of the mappings, in milliseconds. */
  readonly batchingWindowMs: number;
  readonly dataDir?: string;
  /** Where mappings find the queues that they name; none may name one when absent. */
  readonly sqsUrl?: string;
  readonly logger: Logger;
}

/** Kinesis, Firehose and Lambda, and the front end of S3, whose faults one control steers, with those of the front end of DynamoDB. */
export interface Emulators {
  readonly urls: EmulatorUrls;
  /** Ends invocations under way, flushes Firehose, makes everything durable. */
  close(): Promise<void>;
}

/** Starts the emulators, creates what the pipeline needs of them, and begins to deliver. */
export async function startEmulators(options: EmulatorsOptions): Promise<Emulators> {
  const { logger, dataDir } = options;
  const folder = (name: string) => (dataDir === undefined ? {} : { dataDir: join(dataDir, name) });
  // A stream keeps seven days of records: more than memory should hold, also where nothing is to be kept.
  const streamFolder =
    dataDir === undefined ? mkdtempSync(join(tmpdir(), 'twinstream-stream-')) : join(dataDir, 'kinesis');
  const discardStream = () => rmSync(streamFolder, { recursive: true, force: true });
  // However the process ends, short of kill -9.
  if (dataDir === undefined) process.once('exit', discardStream);
  const injector = createFaultInjector();
  const { dynamoDbUrl } = options;
  const s3 = await startS3Proxy({ upstreamUrl: options.s3Url, injector, logger });
  const kinesis = await startKinesis({ dataDir: streamFolder, faults: injector, logger });
  await createBucket(s3.url);
  const firehose = await startFirehose({ ...folder('firehose'), s3Url: s3.url, injector, logger });
  await provision(
    { kinesis: kinesis.url, dynamoDb: dynamoDbUrl, firehose: firehose.url },
    options.shardCount,
  );
  const mapping = {
    streamName: NAMES.stream,
    settings: { ...PROJECT_MAPPING_SETTINGS, batchingWindowMs: options.batchingWindowMs },
    failureBucket: NAMES.archiveBucket,
  };
  const lambda = await startLambda({
    ...folder('lambda'),
    kinesis: kinesis.exchange,
    s3Url: s3.url,
    ...(options.sqsUrl === undefined ? {} : { sqsUrl: options.sqsUrl }),
    functions: options.functions,
    mappings: [
      { ...mapping, functionName: NAMES.projectorFunction },
      { ...mapping, functionName: NAMES.archiverFunction },
    ],
    injector,
    logger,
  });
  const metrics = emulatorMetrics({ kinesis: kinesis.counters, mappings: lambda.status });
  const steering = { injector, others: [remoteFaults(dynamoDbUrl)], logger };
  const control = await listenOnLoopback(
    withMetrics(processExposition('emulators', metrics), faultControl(steering)),
    0,
    (error) => logger.error({ error }, 'fault control or metrics failed'),
  );
  return {
    urls: {
      kinesis: kinesis.url,
      dynamoDb: dynamoDbUrl,
      firehose: firehose.url,
      s3: s3.url,
      lambda: lambda.url,
      faults: control.url,
      metrics: `${control.url}${METRICS_PATH}`,
    },
    close: async () => {
      await control.close();
      await lambda.close();
      await firehose.close();
      await kinesis.close();
      await s3.close();
      if (dataDir === undefined) discardStream();
    },
  };
}

async function createBucket(endpoint: string): Promise<void> {
  const client = s3Client({ endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS });
  await ensureBucket(client, NAMES.archiveBucket);
  client.destroy();
}
