import { regionOfSdk } from '@twinstream/aws/target';
import type { Access } from '@twinstream/end-to-end';
import { CodedError, type Environment, readConfiguration } from '@twinstream/runtime';
import { z } from 'zod';
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
