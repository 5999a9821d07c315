import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { IStream } from 'aws-cdk-lib/aws-kinesis';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { IAlias, IFunction } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { AlarmRule } from './alarm-rules.ts';
import { addAlarm } from './alarms.ts';
import { encryptedBucket } from './archive.ts';
import { mappingSettings, RETENTION_DEFAULT, type TwinstreamConsumerProps } from './consumer-settings.ts';
import { MAXIMUM, mappingMetric, PERIOD, projectorMetric } from './metrics.ts';
import { existingTables, type TwinstreamTables } from './pipeline-tables.ts';
import { Projector } from './projector.ts';
import { StateTables } from './state-tables.ts';
import type { StreamConsumer } from './stream-consumer.ts';

export interface TwinstreamProjectorProps extends TwinstreamConsumerProps {
  /** The stream whose records are events of devices, partition key = device id. Of this app or another. */
  readonly stream: IStream;
  /** How long the stream keeps records. Those that cannot be processed go to the bucket before that. Default: 24 hours. */
  readonly streamRetention?: Duration;
  /**
   * Existing tables, such as those of another `TwinstreamProjector`. Keys: events `deviceId` (S) and `key` (S), deviceState `deviceId` (S), shardProgress `streamName` (S) and
   * `shardId` (S), operations `kind` (S) and `id` (S). Default: tables on demand with point-in-time recovery, that of events append-only.
   */
  readonly tables?: TwinstreamTables;
  /** Existing bucket for invalid records (`quarantine/`) and batches that were given up (`aws/lambda/`). Default: a bucket without public access, versioned. */
  readonly bucket?: IBucket;
  /** Key that encrypts tables and bucket. Default: a key that rotates. The key of the stream is read from `stream`. */
  readonly key?: IKey;
  /** Gets the alarms, and their end. Default: the alarms tell nobody. */
  readonly alarmTopic?: ITopic;
  /** Paths of mapping documents, for payloads of other formats. */
  readonly mappingFiles?: readonly string[];
  /** Alias that the mapping invokes. Default: `live`. */
  readonly aliasName?: string;
  /** How long the function's logs are kept. Default: one month. */
  readonly logRetention?: RetentionDays;
  /** Lag from which the alarm goes off. Default: 5 minutes. */
  readonly lagMax?: Duration;
  /** What becomes of tables, bucket and key that are made here when the stack goes. Default: they stay. */
  readonly removalPolicy?: RemovalPolicy.RETAIN | RemovalPolicy.DESTROY;
}

const LAG_MAX = Duration.minutes(5);
const UNFINISHED_UPLOAD_DAYS = 7;

/**
 * Projects a stream of device events: stores each event once and in order, and keeps the current state of each device. The function's code comes
 * with this package, and nothing is built.
 */
export class TwinstreamProjector extends Construct {
  readonly tables: TwinstreamTables;
  readonly bucket: IBucket;
  readonly key: IKey;
  readonly function: IFunction;
  /** What the stream's mapping invokes. */
  readonly alias: IAlias;
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, props: TwinstreamProjectorProps) {
    super(scope, id);
    const { stream, removalPolicy = RemovalPolicy.RETAIN } = props;
    this.key = props.key ?? new Key(this, 'Key', { enableKeyRotation: true, removalPolicy });
    const tables =
      props.tables === undefined
        ? new StateTables(this, 'Tables', {
            key: this.key,
            keepsData: removalPolicy === RemovalPolicy.RETAIN,
            capacity: { mode: 'on-demand' },
            eventsTableClass: 'standard',
            streamsStateChanges: false,
            generation: undefined,
          })
        : existingTables(this, props.tables);
    this.tables = tables;
    this.bucket = props.bucket ?? failureBucket(this, this.key, removalPolicy);
    const { consumer } = new Projector(this, 'Projector', {
      eventStream: { stream },
      key: this.key,
      tables,
      failureBucket: this.bucket,
      logDays: props.logRetention ?? RetentionDays.ONE_MONTH,
      mapping: mappingSettings({ ...props, retention: props.streamRetention ?? RETENTION_DEFAULT }),
      mappingFiles: props.mappingFiles ?? [],
      headsMax: undefined,
      memoryMiB: props.memoryMiB,
      reservedConcurrency: props.reservedConcurrency,
      aliasName: props.aliasName,
    });
    this.function = consumer.lambda;
    this.alias = consumer.live;
    this.alarms = alarmsOf(this, consumer, props);
  }
}

function failureBucket(scope: Construct, key: IKey, removalPolicy: RemovalPolicy): Bucket {
  const bucket = new Bucket(scope, 'Bucket', {
    ...encryptedBucket(key),
    lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(UNFINISHED_UPLOAD_DAYS) }],
    removalPolicy,
  });
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions-S1',
    reason:
      'It holds what could not be processed, and only the projector and operators reach it; give a bucket with access logs where they are wanted.',
  });
  return bucket;
}

/** What somebody must look at: it lags, fails, loses, or meets invalid records. */
function alarmsOf(
  scope: Construct,
  { lambda, live, mapping }: StreamConsumer,
  { stream, alarmTopic, lagMax = LAG_MAX }: TwinstreamProjectorProps,
): readonly Alarm[] {
  const rules: readonly Omit<AlarmRule, 'severity'>[] = [
    {
      name: 'IteratorAge',
      metric: lambda.metric('IteratorAge', MAXIMUM),
      from: lagMax.toMilliseconds(),
      periods: 3,
      description: `The projector lags by ${lagMax.toHumanString()} or more.`,
    },
    {
      name: 'Errors',
      metric: live.metricErrors({ period: PERIOD }),
      from: 1,
      periods: 3,
      description: 'Invocations fail, three minutes in a row.',
    },
    {
      name: 'Lost',
      metric: mappingMetric(mapping, 'DroppedEventCount'),
      from: 1,
      periods: 1,
      description:
        'Records were given up that could not be kept either. They are in the stream until its retention ends.',
    },
    {
      name: 'Quarantine',
      metric: projectorMetric(stream, 'quarantined'),
      from: 1,
      periods: 1,
      description: 'Invalid records went to quarantine/ in the bucket.',
    },
    {
      name: 'StateRejections',
      metric: projectorMetric(stream, 'stateRejections'),
      from: 1,
      periods: 1,
      description: 'A state could not be written; its pages are whole.',
    },
  ];
  return rules.map((rule) => addAlarm(scope, rule, alarmTopic));
}
