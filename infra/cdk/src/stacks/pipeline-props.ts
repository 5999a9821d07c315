import { headsOfContainer } from '@twinstream/capacity';
import type { MappingSettings } from '@twinstream/pipeline-settings';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { TwinstreamConsumerProps } from '../constructs/consumer-settings.ts';
import type { TwinstreamPipelineProps } from '../constructs/twinstream-pipeline.ts';
import type { StageConfiguration } from '../stages.ts';

/** A stage as properties of the construct. */
export function pipelineProps(configuration: StageConfiguration): TwinstreamPipelineProps {
  const { projectorMapping, archiverMapping, access, fleetService, allowedOrigins } = configuration;
  const { startingPosition } = archiverMapping;
  return {
    name: configuration.stage,
    streamCapacity: configuration.streamCapacity,
    tableCapacity: configuration.tableCapacity,
    eventsTableClass: configuration.eventsTableClass,
    generation: configuration.generation,
    removalPolicy: configuration.keepsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    logRetention: configuration.logDays,
    archiveBuffer: Duration.seconds(configuration.archiveBufferSeconds),
    startAt: startingPosition.type === 'AT_TIMESTAMP' ? new Date(startingPosition.timestampMs) : undefined,
    projector: {
      ...consumerProps(configuration, projectorMapping),
      headsMax: headsOfProjector(configuration),
    },
    archiver: consumerProps(configuration, archiverMapping),
    mappingFiles: configuration.mappingFiles,
    api: { access, fleetService, allowedOrigins },
    alarms: {
      email: configuration.alarmEmail,
      pageUrl: configuration.pageUrl,
      lagMax: Duration.minutes(configuration.iteratorAgeMinutesMax),
    },
    rollout: configuration.rollout,
    iotRule: configuration.hasIotIngestion ? configuration.iotRule : undefined,
    statusEvents: configuration.hasStatusEvents,
    stateStreamArn: configuration.stateStreamArn,
    canaryDevice: configuration.hasCanaryDevice,
  };
}

function consumerProps(configuration: StageConfiguration, mapping: MappingSettings): TwinstreamConsumerProps {
  return {
    batchingWindow: Duration.millis(mapping.batchingWindowMs),
    parallelizationFactor: mapping.parallelizationFactor,
    reservedConcurrency: invocationsOfFunction(configuration, mapping),
  };
}

/**
 * One `UpdateShardCount` at most doubles or halves the shards of a stream (Kinesis API reference, read 2026-12). CloudFormation changes the
 * stream before its functions, and closed parents are read to their end before their children: either way a function that has
 * what the fewer shards need is asked for twice of it.
 */
const RESHARD_GROWTH_MAX = 2;

/**
 * Invocations that are kept for a function: one for each concurrent batch of each shard, and as many again as head-room. Reserved concurrency is
 * a limit as well: exactly what the shards need would throttle a reshard, and a redrive that invokes the archiver beside its
 * mapping. None is reserved where no workload says what comes, or where AWS chooses the shards.
 */
function invocationsOfFunction(
  { capacity, streamCapacity }: StageConfiguration,
  { parallelizationFactor }: MappingSettings,
): number | undefined {
  if (capacity === undefined || streamCapacity.mode !== 'provisioned') return undefined;
  return streamCapacity.shardCount * parallelizationFactor * RESHARD_GROWTH_MAX;
}

/** The states that a container keeps follow from the plan. Undefined where none is stated, or where AWS chooses the shards. */
function headsOfProjector({ capacity, streamCapacity }: StageConfiguration): number | undefined {
  if (capacity === undefined || streamCapacity.mode !== 'provisioned') return undefined;
  return headsOfContainer({ ...capacity, shardCount: streamCapacity.shardCount });
}
