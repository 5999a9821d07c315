import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { DescribeStreamSummaryCommand } from '@aws-sdk/client-kinesis';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { s3Client } from '@twinstream/aws/s3';
import { regionOfSdk } from '@twinstream/aws/target';
import { deviceId } from '@twinstream/device-model';
import { type Access, pipelineStores } from '@twinstream/end-to-end';
import { dynamoDbShardProgressTable } from '@twinstream/latest-state';
import { ARCHIVE_PREFIX } from '@twinstream/pipeline-settings';
import { CodedError, type Environment, readConfiguration } from '@twinstream/runtime';
import { verifyDevice } from '@twinstream/verification';
import { z } from 'zod';
import type { Deployment } from './deployment.ts';
import { checkLoad } from './ledger-check.ts';
import { UNKNOWN_ON_AWS } from './load-options.ts';
import { awsLoadSite } from './load-site.ts';
import { PROJECTOR, type ScenarioName } from './scenarios.ts';

/** A pipeline that is deployed, as the environment names it. */
export interface FoundDeployment {
  readonly access: Access;
  /** As the SDK finds it: variables, or the profile. */
  readonly region: string;
  readonly projectorFunction: string;
  /** What the simulator gets: that of this process. */
  readonly environment: Environment;
}

const output = (name: string) => z.string({ error: `must be the output ${name} of the deployed stack` });
const SCHEMA = z.object({
  TWINSTREAM_STREAM: output('StreamName'),
  TWINSTREAM_EVENTS_TABLE: output('EventsTable'),
  TWINSTREAM_DEVICE_STATE_TABLE: output('DeviceStateTable'),
  TWINSTREAM_SHARD_PROGRESS_TABLE: output('ShardProgressTable'),
  TWINSTREAM_ARCHIVE_BUCKET: output('ArchiveBucket'),
});
const FUNCTION_SCHEMA = z.object({ TWINSTREAM_PROJECTOR_FUNCTION: output('ProjectorFunction') });
const REGION_SCHEMA = z.object({
  AWS_REGION: z.string({ error: 'must be a region; no profile of the AWS SDK names one either' }),
});

/**
 * Reads the names of a deployment from the environment of this process; how it is reached, the SDK itself finds out. Asks
 * no service. Throws `INVALID_CONFIGURATION` naming everything that is missing.
 */
export async function findDeployment(
  environment: Environment,
  scenario: ScenarioName,
): Promise<FoundDeployment> {
  const region = await regionOfSdk();
  const schema = z.object({
    ...(region === undefined ? REGION_SCHEMA.shape : {}),
    ...SCHEMA.shape,
    ...(scenario === 'consumer-outage' ? FUNCTION_SCHEMA.shape : {}),
  });
  const values = SCHEMA.parse(readConfiguration(schema, environment));
  if (region === undefined) throw new CodedError('INVALID_CONFIGURATION', 'AWS_REGION cannot be used');
  return {
    access: {
      clients: { kinesis: {}, dynamoDb: {}, lambda: {}, s3: {} },
      stream: values.TWINSTREAM_STREAM,
      eventsTable: values.TWINSTREAM_EVENTS_TABLE,
      deviceStateTable: values.TWINSTREAM_DEVICE_STATE_TABLE,
      shardProgressTable: values.TWINSTREAM_SHARD_PROGRESS_TABLE,
      archiveBucket: values.TWINSTREAM_ARCHIVE_BUCKET,
    },
    region,
    projectorFunction: environment.TWINSTREAM_PROJECTOR_FUNCTION || PROJECTOR,
    environment,
  };
}

const SIMULATE = fileURLToPath(new URL('../../../producers/device-simulator/src/main.ts', import.meta.url));
/** A mapping changes within a minute or two, shards within minutes; a hundred take longer. */
const CHANGE_DEADLINE_MS = 15 * 60_000;
/** Quotas of the APIs that are asked are a few requests a second, for a whole account. */
const POLL_MS = 1_000;

/** A deployment that was looked at and can take the load. */
export interface ReachedDeployment {
  readonly found: FoundDeployment;
  readonly shardCount: number;
  /** Begins the names of this run's devices: those of no other run, and of no real device. */
  readonly devicePrefix: string;
}

/**
 * Looks at everything that the run will look at, so that a name or a right that is missing is found before an event is sent.
 * Rejects with `DEPLOYMENT_NOT_REACHED`, and with `INVALID_USAGE` where the scenario asks what the stream cannot do.
 */
export async function reachDeployment(
  found: FoundDeployment,
  scenario: ScenarioName,
): Promise<ReachedDeployment> {
  const devicePrefix = `load-${compactTime(new Date())}-${randomBytes(2).toString('hex')}-`;
  const { shards, mode } = await reached(found.access, devicePrefix);
  if (scenario === 'reshard' && mode === 'ON_DEMAND') {
    throw new CodedError('INVALID_USAGE', `--scenario reshard: AWS itself scales ${found.access.stream}`);
  }
  return { found, shardCount: shards, devicePrefix };
}

async function reached(access: Access, devicePrefix: string) {
  const kinesis = kinesisClient(access.clients.kinesis);
  const dynamoDb = dynamoDbClient(access.clients.dynamoDb);
  const s3 = s3Client(access.clients.s3);
  const stores = pipelineStores(access);
  const progress = dynamoDbShardProgressTable(dynamoDb, { tableName: access.shardProgressTable });
  const StreamName = access.stream;
  try {
    const { StreamDescriptionSummary: summary } = await asked(
      `stream ${StreamName}`,
      kinesis.send(new DescribeStreamSummaryCommand({ StreamName })),
    );
    await asked(
      `tables ${access.eventsTable} and ${access.deviceStateTable}`,
      verifyDevice(stores, deviceId(`${devicePrefix}none`)),
    );
    await asked(`table ${access.shardProgressTable}`, progress.read(StreamName));
    const listed = { Bucket: access.archiveBucket, Prefix: ARCHIVE_PREFIX, MaxKeys: 1 };
    await asked(`bucket ${access.archiveBucket}`, s3.send(new ListObjectsV2Command(listed)));
    return { shards: summary?.OpenShardCount ?? 0, mode: summary?.StreamModeDetails?.StreamMode };
  } finally {
    for (const client of [kinesis, dynamoDb, s3]) client.destroy();
    stores.close();
  }
}

async function asked<Answer>(what: string, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CodedError('DEPLOYMENT_NOT_REACHED', `${what}: ${why}; nothing was sent`, { cause });
  }
}

/** `20261123T101500`. */
function compactTime(time: Date): string {
  return time.toISOString().slice(0, 19).replace(/[-:]/g, '');
}

/** A pipeline that runs already, and goes on running: the load is added to what else it carries. */
export function attachedDeployment({ found, devicePrefix }: ReachedDeployment, folder: string): Deployment {
  const { access, environment, projectorFunction } = found;
  const sharedSinceMs = Date.now();
  const site = awsLoadSite({
    access,
    functionNames: { [PROJECTOR]: projectorFunction },
    changeDeadlineMs: CHANGE_DEADLINE_MS,
    pollMs: POLL_MS,
  });
  return {
    name: 'twinstream',
    access,
    site,
    devicePrefix,
    runsHere: false,
    hasProgress: true,
    notes: [
      `the devices of this run are ${devicePrefix}…; what it stored stays`,
      'latencies hold the way from this machine to AWS and back; lagMaxMs lays the clock of this machine beside that of AWS',
      'eventsPerPage is over all pages of these devices, the warm-up included',
      ...unknownNotes(),
    ],
    // In a folder below which no pipeline of this machine tells its own address.
    startSimulator: (...args) =>
      spawn(process.execPath, [SIMULATE, '--target', 'aws', ...args], {
        cwd: folder,
        env: environment,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    check: (work) => checkLoad({ access, sharedSinceMs, ...work }),
    stop: () => site.restore().finally(() => site.close()),
  };
}

/** What is null, and why: figures of the same reason in one note. */
function unknownNotes(): readonly string[] {
  const byReason = Map.groupBy(Object.entries(UNKNOWN_ON_AWS), ([, why]) => why);
  return [...byReason].map(
    ([why, figures]) => `${figures.map(([figure]) => figure).join(', ')} not known: ${why}`,
  );
}
