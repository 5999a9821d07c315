import { RETENTION_HOURS } from '@twinstream/stream-model';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IStream } from 'aws-cdk-lib/aws-kinesis';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { AlarmsProps } from './alarm-rules.ts';
import { Alarms } from './alarms.ts';
import type { ApiAccess } from './api-access.ts';
import { Archive } from './archive.ts';
import { ArchiveTable } from './archive-table.ts';
import { Archiver } from './archiver.ts';
import { CanaryDevice } from './canary-device.ts';
import { mappingSettings, RETENTION_DEFAULT, type TwinstreamConsumerProps } from './consumer-settings.ts';
import { EventStream, type SourceStream, type StreamCapacity } from './event-stream.ts';
import { GradualDeployments } from './gradual-deployments.ts';
import { IotIngestion, type IotRule } from './iot-ingestion.ts';
import { OperationsDashboard } from './operations-dashboard.ts';
import { existingTables, type PipelineTables, type TwinstreamTables } from './pipeline-tables.ts';
import { Projector } from './projector.ts';
import { QueryApi } from './query-api.ts';
import type { FleetService } from './query-service.ts';
import { StateTables, type TableCapacity } from './state-tables.ts';
import { StatusEvents } from './status-events.ts';

export type {
  ApiAccess,
  FleetService,
  IotRule,
  PipelineTables,
  SourceStream,
  StreamCapacity,
  TableCapacity,
  TwinstreamConsumerProps,
  TwinstreamTables,
};

/** The query API of a pipeline. */
export interface TwinstreamApiProps {
  /** How callers prove who they are. Default: signatures of IAM. */
  readonly access?: ApiAccess;
  /** The long-lived service that answers for a large fleet. Default: a function answers. */
  readonly fleetService?: FleetService | undefined;
  /** Other origins whose pages may read, as a browser writes them. Default: none. */
  readonly allowedOrigins?: readonly string[];
}

/** What somebody must look at. */
export interface TwinstreamAlarmsProps {
  /** Gets a mail when an alarm goes off. Default: nobody. */
  readonly email?: string | undefined;
  /** Is called, by HTTPS, for alarms that need somebody now. Default: nobody. */
  readonly pageUrl?: string | undefined;
  /** Lag from which the alarm of a consumer goes off, in whole minutes. Default: 5 minutes. */
  readonly lagMax?: Duration;
}

export interface TwinstreamPipelineProps {
  /** Existing stream whose records are events of devices, partition key = device id. Default: a stream, encrypted with the key. */
  readonly stream?: IStream;
  /** How long the stream keeps records: those that cannot be processed go to the bucket before that. Default: 24 hours of an existing stream, 7 days of one that is made. */
  readonly streamRetention?: Duration;
  /** Shards of a stream that is made. Default: on demand. */
  readonly streamCapacity?: StreamCapacity;
  /**
   * Existing tables, such as those of a `TwinstreamProjector`. Keys: events `deviceId` (S) and `key` (S), deviceState `deviceId` (S), shardProgress `streamName` (S) and
   * `shardId` (S), operations `kind` (S) and `id` (S). A promotion of a replay does not replace them. Default: tables with point-in-time recovery, that of events append-only.
   */
  readonly tables?: TwinstreamTables;
  /** How requests to tables of events and states that are made are paid. Default: on demand. */
  readonly tableCapacity?: TableCapacity;
  /** Class of a table of events that is made. Default: standard. */
  readonly eventsTableClass?: 'standard' | 'infrequent-access';
  /** Existing bucket for the archive (`archive/`), invalid records (`quarantine/`) and batches that were given up (`aws/lambda/`). Default: a bucket without public access, versioned, with access logs. */
  readonly bucket?: IBucket;
  /** Existing key that encrypts what is made here. Its policy must allow what the roles made here may do. Default: a key that rotates. */
  readonly key?: IKey;
  /** Existing topic for all alarms. Default: a topic for those that need somebody now, and one for the others. */
  readonly alarmTopic?: ITopic;
  /** Default: all alarms, which tell the topics. False: none. */
  readonly alarms?: TwinstreamAlarmsProps | false;
  /** Whether CloudWatch shows the pipeline on one page. Default: true. */
  readonly dashboard?: boolean;
  /** The function that keeps events and states. */
  readonly projector?: TwinstreamConsumerProps & {
    /** Device states that a container keeps in memory. Default: the projector's own number. */
    readonly headsMax?: number | undefined;
  };
  /** The function that sends each event, verbatim, to the archive. */
  readonly archiver?: TwinstreamConsumerProps;
  /** Where mappings begin when they are made. Default: at the oldest record of the stream. */
  readonly startAt?: Date | undefined;
  /** Alias by which functions are invoked. Default: `live`. */
  readonly aliasName?: string;
  /** How a new version of a function takes over: a tenth of the invocations first, and back when an alarm goes off, or all of them immediately. Default: immediate. */
  readonly rollout?: 'canary' | 'immediate';
  /** Default: no API. */
  readonly api?: TwinstreamApiProps;
  /** Lets devices publish through AWS IoT Core. Default: they do not. */
  readonly iotRule?: IotRule | undefined;
  /** Whether changes of a device's status go to an event bus. Existing tables need a stream of the states for it. Default: false. */
  readonly statusEvents?: boolean;
  /** Stream of the table of states, where it is not that of `tables` or of a table made here. */
  readonly stateStreamArn?: string | undefined;
  /** Whether a device of the pipeline's own reports every minute, and the age of its state is watched. Default: false. */
  readonly canaryDevice?: boolean;
  /** Paths of mapping documents, for payloads of other formats. Default: none. */
  readonly mappingFiles?: readonly string[];
  /** Longest time that Firehose gathers an object of the archive, in seconds from 0 to 900. Default: 300 seconds. */
  readonly archiveBuffer?: Duration;
  /** How long logs of functions are kept. Default: one month. */
  readonly logRetention?: RetentionDays;
  /** What becomes of stream, tables, bucket and key that are made here when the stack goes. Default: they stay. */
  readonly removalPolicy?: RemovalPolicy.RETAIN | RemovalPolicy.DESTROY;
  /** Tells the pipelines of an account apart. Where it is stated, the archive becomes a table for Athena: database `twinstream_NAME`, work group `twinstream-NAME`. Default: no such table. */
  readonly name?: string;
  /** Name of the fresh tables that a promotion has put in the place of those made here. Default: none has. */
  readonly generation?: string | undefined;
}

const ARCHIVE_BUFFER = Duration.minutes(5);
const LAG_MAX = Duration.minutes(5);

/**
 * A pipeline of device events: stream, projector with its tables, archive with its bucket, alarms, and, where it is asked for, the query API, ingestion by AWS IoT Core,
 * events of status changes and a canary device. What exists is taken; the rest is made. The code of all functions comes with this package.
 */
export class TwinstreamPipeline extends Construct {
  readonly key: IKey;
  readonly eventStream: SourceStream;
  readonly tables: PipelineTables;
  readonly archive: Archive;
  readonly projector: Projector;
  readonly archiver: Archiver;
  /** Undefined where none was asked for. */
  readonly queryApi: QueryApi | undefined;
  /** Undefined where `alarms` is false. */
  readonly alarms: Alarms | undefined;

  constructor(scope: Construct, id: string, props: TwinstreamPipelineProps) {
    super(scope, id);
    const { removalPolicy = RemovalPolicy.RETAIN, rollout = 'immediate' } = props;
    if (rollout === 'canary' && props.alarms === false) {
      throw new RangeError('rollout: a canary goes back when an alarm goes off, and alarms is false');
    }
    const keepsData = removalPolicy === RemovalPolicy.RETAIN;
    const settled: Settled = {
      keepsData,
      logDays: props.logRetention ?? RetentionDays.ONE_MONTH,
      rollout,
      archiveBuffer: props.archiveBuffer ?? ARCHIVE_BUFFER,
    };
    this.key =
      props.key ??
      new Key(this, 'Key', {
        description: props.name === undefined ? 'Data of Twinstream.' : `Data of Twinstream ${props.name}.`,
        enableKeyRotation: true,
        removalPolicy,
      });
    const { key } = this;
    const retention =
      props.streamRetention ??
      (props.stream === undefined ? Duration.hours(RETENTION_HOURS) : RETENTION_DEFAULT);
    this.eventStream =
      props.stream === undefined
        ? new EventStream(this, 'EventStream', {
            key,
            capacity: props.streamCapacity ?? { mode: 'on-demand' },
            retention,
            keepsData,
          })
        : { stream: props.stream };
    this.tables =
      props.tables === undefined
        ? new StateTables(this, 'Tables', {
            key,
            keepsData,
            capacity: props.tableCapacity ?? { mode: 'on-demand' },
            eventsTableClass: props.eventsTableClass ?? 'standard',
            streamsStateChanges: props.statusEvents ?? false,
            generation: props.generation,
          })
        : existingTables(this, props.tables);
    this.archive = new Archive(this, 'Archive', {
      key,
      bucket: props.bucket,
      keepsData,
      bufferSeconds: settled.archiveBuffer.toSeconds(),
      logDays: settled.logDays,
    });
    const { bucket } = this.archive;
    if (props.name !== undefined) new ArchiveTable(this, 'ArchiveTable', { bucket, key, name: props.name });
    this.projector = this.makeProjector(props, retention, settled);
    this.archiver = new Archiver(this, 'Archiver', {
      ...this.consumer(props, settled),
      archive: this.archive,
      mapping: mappingSettings({ ...props.archiver, retention, startAt: props.startAt }),
      memoryMiB: props.archiver?.memoryMiB,
      reservedConcurrency: props.archiver?.reservedConcurrency,
    });
    this.queryApi = props.api === undefined ? undefined : this.makeApi(props.api, props, settled);
    this.alarms = this.observe(props, settled);
  }

  /** What the functions that read the stream have in common. */
  private consumer({ aliasName }: TwinstreamPipelineProps, { logDays }: Settled) {
    return { key: this.key, eventStream: this.eventStream, logDays, aliasName };
  }

  private makeProjector(props: TwinstreamPipelineProps, retention: Duration, settled: Settled): Projector {
    const { projector = {} } = props;
    return new Projector(this, 'Projector', {
      ...this.consumer(props, settled),
      tables: this.tables,
      failureBucket: this.archive.bucket,
      mapping: mappingSettings({ ...projector, retention, startAt: props.startAt }),
      mappingFiles: props.mappingFiles ?? [],
      headsMax: projector.headsMax,
      memoryMiB: projector.memoryMiB,
      reservedConcurrency: projector.reservedConcurrency,
    });
  }

  private makeApi(api: TwinstreamApiProps, props: TwinstreamPipelineProps, settled: Settled): QueryApi {
    return new QueryApi(this, 'Api', {
      ...this.consumer(props, settled),
      tables: this.tables,
      archive: this.archive,
      mappings: this.projector.mappings,
      access: api.access ?? { kind: 'iam' },
      fleetService: api.fleetService,
      allowedOrigins: api.allowedOrigins ?? [],
      mappingFiles: props.mappingFiles ?? [],
      keepsData: settled.keepsData,
    });
  }

  /** What is beside the pipeline, and what watches both. */
  private observe(props: TwinstreamPipelineProps, settled: Settled): Alarms | undefined {
    const { key, eventStream, tables, archive, queryApi } = this;
    const { bucket } = archive;
    const { stream } = eventStream;
    const { iotRule: rule, aliasName } = props;
    const { logDays } = settled;
    const iot = rule === undefined ? undefined : new IotIngestion(this, 'Iot', { stream, key, bucket, rule });
    const streamArn = props.stateStreamArn ?? tables.deviceState.tableStreamArn;
    const statusPublisher =
      props.statusEvents === true
        ? new StatusEvents(this, 'StatusEvents', {
            streamArn,
            key,
            failureBucket: bucket,
            logDays,
            aliasName,
          })
        : undefined;
    const canary =
      props.canaryDevice === true
        ? new CanaryDevice(this, 'Canary', { key, eventStream, tables, logDays, aliasName })
        : undefined;
    const observed: AlarmsProps = {
      configuration: {
        iteratorAgeMinutesMax: alarmsOf(props).lagMax?.toMinutes() ?? LAG_MAX.toMinutes(),
        archiveBufferSeconds: settled.archiveBuffer.toSeconds(),
        rollout: settled.rollout,
        alarmEmail: alarmsOf(props).email,
        pageUrl: alarmsOf(props).pageUrl,
      },
      key,
      topic: props.alarmTopic,
      eventStream,
      tables,
      archive,
      queryApi,
      consumers: { Projector: this.projector.consumer, Archiver: this.archiver.consumer },
      statusPublisher,
      canary: canary?.deployed,
      iotRuleName: iot?.ruleName,
    };
    const alarms = props.alarms === false ? undefined : new Alarms(this, 'Alarms', observed);
    if (props.dashboard ?? true) new OperationsDashboard(this, 'Operations', { ...observed, alarms });
    if (settled.rollout === 'canary' && alarms !== undefined) {
      new GradualDeployments(this, 'Deployments', alarms);
    }
    return alarms;
  }
}

/** Settings with their defaults. */
interface Settled {
  readonly keepsData: boolean;
  readonly logDays: RetentionDays;
  readonly rollout: 'canary' | 'immediate';
  readonly archiveBuffer: Duration;
}

function alarmsOf({ alarms }: TwinstreamPipelineProps): TwinstreamAlarmsProps {
  return alarms === undefined || alarms === false ? {} : alarms;
}
