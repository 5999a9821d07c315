import { headsOfContainer, reservedInvocations } from '@twinstream/capacity';
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

/** None is reserved where no workload says what comes, or where AWS chooses the shards. */
function invocationsOfFunction(
  { capacity, streamCapacity }: StageConfiguration,
  { parallelizationFactor }: MappingSettings,
): number | undefined {
  if (capacity === undefined || streamCapacity.mode !== 'provisioned') return undefined;
  return reservedInvocations(streamCapacity.shardCount, parallelizationFactor);
}

/** The states that a container keeps follow from the plan. Undefined where none is stated, or where AWS chooses the shards. */
function headsOfProjector({ capacity, streamCapacity }: StageConfiguration): number | undefined {
  if (capacity === undefined || streamCapacity.mode !== 'provisioned') return undefined;
  return headsOfContainer({ ...capacity, shardCount: streamCapacity.shardCount });
}
