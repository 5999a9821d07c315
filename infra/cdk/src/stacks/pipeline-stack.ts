import { headsOfContainer } from '@twinstream/capacity';
import type { MappingSettings } from '@twinstream/pipeline-settings';
import { CfnOutput, RemovalPolicy, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { Alarms } from '../constructs/alarms.ts';
import { Archive } from '../constructs/archive.ts';
import { ArchiveTable } from '../constructs/archive-table.ts';
import { Archiver } from '../constructs/archiver.ts';
import { CanaryDevice } from '../constructs/canary-device.ts';
import { EventStream } from '../constructs/event-stream.ts';
import { GradualDeployments } from '../constructs/gradual-deployments.ts';
import { IotIngestion } from '../constructs/iot-ingestion.ts';
import { OperationsDashboard } from '../constructs/operations-dashboard.ts';
import { BreakGlassRole, OperatorRole } from '../constructs/operator-role.ts';
import { Projector } from '../constructs/projector.ts';
import { QueryApi } from '../constructs/query-api.ts';
import { StateTables } from '../constructs/state-tables.ts';
import { StatusEvents } from '../constructs/status-events.ts';
import type { StageConfiguration } from '../stages.ts';

export interface PipelineStackProps extends StackProps {
  readonly configuration: StageConfiguration;
}

/** The way of an event, from the stream to state, archive and API. */
export class PipelineStack extends Stack {
  readonly key: Key;
  readonly eventStream: EventStream;
  readonly tables: StateTables;
  readonly archive: Archive;
  readonly projector: Projector;
  readonly archiver: Archiver;
  readonly queryApi: QueryApi;
  readonly operatorRole: OperatorRole;
  readonly breakGlassRole: BreakGlassRole;

  constructor(scope: Construct, id: string, { configuration, ...props }: PipelineStackProps) {
    super(scope, id, { terminationProtection: configuration.keepsData, ...props });
    const { stage, keepsData, logDays } = configuration;
    Tags.of(this).add('project', 'twinstream');
    Tags.of(this).add('stage', stage);

    this.key = new Key(this, 'Key', {
      description: `Data of Twinstream ${stage}.`,
      enableKeyRotation: true,
      removalPolicy: keepsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    const { key } = this;

    this.eventStream = new EventStream(this, 'EventStream', {
      key,
      capacity: configuration.streamCapacity,
      keepsData,
    });
    this.tables = new StateTables(this, 'Tables', {
      key,
      keepsData,
      capacity: configuration.tableCapacity,
      eventsTableClass: configuration.eventsTableClass,
      streamsStateChanges: configuration.hasStatusEvents,
      generation: configuration.generation,
    });
    this.archive = new Archive(this, 'Archive', {
      key,
      keepsData,
      bufferSeconds: configuration.archiveBufferSeconds,
      logDays,
    });
    addBudget(this, configuration);
    const { eventStream, tables, archive } = this;

    this.projector = new Projector(this, 'Projector', {
      key,
      eventStream,
      tables,
      failureBucket: archive.bucket,
      logDays,
      mapping: configuration.projectorMapping,
      mappingFiles: configuration.mappingFiles,
      headsMax: headsOfProjector(configuration),
      reservedConcurrency: invocationsOfFunction(configuration, configuration.projectorMapping),
    });
    this.archiver = new Archiver(this, 'Archiver', {
      key,
      eventStream,
      archive,
      logDays,
      mapping: configuration.archiverMapping,
      reservedConcurrency: invocationsOfFunction(configuration, configuration.archiverMapping),
    });
    new ArchiveTable(this, 'ArchiveTable', { bucket: archive.bucket, key, stage });
    this.queryApi = new QueryApi(this, 'Api', {
      key,
      eventStream,
      tables,
      archive,
      mappings: this.projector.mappings,
      access: configuration.access,
      fleetService: configuration.fleetService,
      allowedOrigins: configuration.allowedOrigins,
      mappingFiles: configuration.mappingFiles,
      keepsData,
      logDays,
    });

    const operated = {
      key,
      eventStream,
      tables,
      bucket: archive.bucket,
      projector: this.projector.consumer,
      archiver: this.archiver.consumer,
    };
    this.operatorRole = new OperatorRole(this, 'Operator', operated);
    this.breakGlassRole = new BreakGlassRole(this, 'BreakGlass', operated);

    const { bucket } = archive;
    const { iotRule: rule } = configuration;
    const iot = configuration.hasIotIngestion
      ? new IotIngestion(this, 'Iot', { stream: eventStream.stream, key, bucket, rule })
      : undefined;
    const streamArn = configuration.stateStreamArn ?? tables.deviceState.tableStreamArn;
    const statusPublisher = configuration.hasStatusEvents
      ? new StatusEvents(this, 'StatusEvents', { streamArn, key, failureBucket: bucket, logDays })
      : undefined;

    const canary = configuration.hasCanaryDevice
      ? new CanaryDevice(this, 'Canary', { key, eventStream, tables, logDays })
      : undefined;

    const observed = {
      configuration,
      key,
      eventStream,
      tables,
      archive,
      queryApi: this.queryApi,
      consumers: { Projector: this.projector.consumer, Archiver: this.archiver.consumer },
      statusPublisher,
      canary: canary?.deployed,
      iotRuleName: iot?.ruleName,
    };
    const alarms = new Alarms(this, 'Alarms', observed);
    new OperationsDashboard(this, 'Operations', { ...observed, alarms });
    if (configuration.rollout === 'canary') new GradualDeployments(this, 'Deployments', alarms);
    this.tellNames();
  }

  /** Outputs: the names by which producers, operators and tools find the pipeline. */
  private tellNames(): void {
    const outputs = {
      StreamName: this.eventStream.stream.streamName,
      EventsTable: this.tables.events.tableName,
      DeviceStateTable: this.tables.deviceState.tableName,
      ShardProgressTable: this.tables.shardProgress.tableName,
      OperationsTable: this.tables.operations.tableName,
      ArchiveBucket: this.archive.bucket.bucketName,
      DeliveryStream: this.archive.deliveryStream.ref,
      ProjectorFunction: this.projector.consumer.live.functionArn,
      ArchiverFunction: this.archiver.consumer.live.functionArn,
      ApiUrl: this.queryApi.api.apiEndpoint,
      BreakGlassRole: this.breakGlassRole.role.roleArn,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}

/** Actual cost at this share of the budget, and a forecast above all of it, are told. */
const BUDGET_TOLD_PERCENT = 80;

/** Tells operators by mail of the cost of the account: a budget of a stack alone would need its tags activated for billing. */
function addBudget(scope: Construct, { monthlyBudgetUsd, alarmEmail }: StageConfiguration): void {
  if (monthlyBudgetUsd === undefined || alarmEmail === undefined) return;
  const told = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
    notification: { notificationType, comparisonOperator: 'GREATER_THAN', threshold },
    subscribers: [{ subscriptionType: 'EMAIL', address: alarmEmail }],
  });
  new CfnBudget(scope, 'Budget', {
    budget: {
      budgetType: 'COST',
      timeUnit: 'MONTHLY',
      budgetLimit: { amount: monthlyBudgetUsd, unit: 'USD' },
    },
    notificationsWithSubscribers: [told('ACTUAL', BUDGET_TOLD_PERCENT), told('FORECASTED', 100)],
  });
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
