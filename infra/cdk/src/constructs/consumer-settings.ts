import { type MappingSettings, PROJECT_MAPPING_SETTINGS } from '@twinstream/pipeline-settings';
import { Duration } from 'aws-cdk-lib';

/** How a function that reads the stream is sized and fed. */
export interface TwinstreamConsumerProps {
  /** Memory of the function in MiB. Default of the projector: 1,769, one vCPU; of the archiver: 1,024. */
  readonly memoryMiB?: number;
  /** Invocations kept for this function, and no more. Default: as many as the account has left. */
  readonly reservedConcurrency?: number | undefined;
  /** Longest wait for a fuller batch, in whole seconds up to 5 minutes. Default: 1 second. */
  readonly batchingWindow?: Duration;
  /** Concurrent batches of a shard, 1 to 10; devices keep their order. Default: 1. */
  readonly parallelizationFactor?: number;
}

/** How a mapping reads a stream. */
export interface StreamReading
  extends Pick<TwinstreamConsumerProps, 'batchingWindow' | 'parallelizationFactor'> {
  /** How long the stream keeps records. */
  readonly retention: Duration;
  /** Where the mapping begins when it is made. Default: at the oldest record. */
  readonly startAt?: Date | undefined;
}

/** What Kinesis keeps unless it is told otherwise. */
export const RETENTION_DEFAULT = Duration.hours(24);
/** Part of the retention, and at most a day, that is left when a record is given up: it is still in the stream, as well as in the bucket. */
const LEFT_SHARE = 0.25;
const LEFT_MAX = Duration.hours(24);

/** The project's settings of a mapping, with records given up while the stream still has them. */
export function mappingSettings(reading: StreamReading): MappingSettings {
  const { retention, batchingWindow, parallelizationFactor, startAt } = reading;
  const leftSeconds = Math.min(retention.toSeconds() * LEFT_SHARE, LEFT_MAX.toSeconds());
  return {
    ...PROJECT_MAPPING_SETTINGS,
    recordAgeSecondsMax: Math.floor(retention.toSeconds() - leftSeconds),
    ...(batchingWindow === undefined ? {} : { batchingWindowMs: batchingWindow.toSeconds() * 1_000 }),
    ...(parallelizationFactor === undefined ? {} : { parallelizationFactor }),
    ...(startAt === undefined
      ? {}
      : { startingPosition: { type: 'AT_TIMESTAMP', timestampMs: startAt.getTime() } }),
  };
}
