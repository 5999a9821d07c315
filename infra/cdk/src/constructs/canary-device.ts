import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { SourceStream } from './event-stream.ts';
import { type DeployedFunction, NodeFunction } from './node-function.ts';
import type { PipelineTables } from './pipeline-tables.ts';

export interface CanaryDeviceProps {
  readonly key: IKey;
  readonly eventStream: SourceStream;
  readonly tables: PipelineTables;
  readonly logDays: RetentionDays;
  readonly aliasName?: string | undefined;
}

const CANARY_DEVICE_ID = 'twinstream-canary';
export const CANARY_PERIOD_MINUTES = 1;
const MEMORY_MIB = 256;
const TIMEOUT_SECONDS = 20;

/** Reports as a device once a minute, and tells how old the state of that device is: the life of an event, seen from outside. */
export class CanaryDevice extends Construct {
  readonly deployed: DeployedFunction;

  constructor(scope: Construct, id: string, props: CanaryDeviceProps) {
    super(scope, id);
    const { key, eventStream, tables, logDays, aliasName } = props;
    this.deployed = new NodeFunction(this, 'Device', {
      bundle: 'canary-device',
      description: 'Reports as a device, and tells how old its state is.',
      memoryMiB: MEMORY_MIB,
      timeoutSeconds: TIMEOUT_SECONDS,
      logDays,
      aliasName,
      environment: {
        TWINSTREAM_CANARY_DEVICE: CANARY_DEVICE_ID,
        TWINSTREAM_STREAM: eventStream.stream.streamName,
        TWINSTREAM_EVENTS_TABLE: tables.events.tableName,
        TWINSTREAM_DEVICE_STATE_TABLE: tables.deviceState.tableName,
        TWINSTREAM_OPERATIONS_TABLE: tables.operations.tableName,
      },
      permissions: [
        { sid: 'Report', actions: ['kinesis:PutRecord'], resources: [eventStream.stream.streamArn] },
        { sid: 'ReadState', actions: ['dynamodb:GetItem'], resources: tables.deviceStateArns() },
        {
          sid: 'FollowTablesInUse',
          actions: ['dynamodb:GetItem'],
          resources: [tables.operations.tableArn],
        },
        { sid: 'UseKey', actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [key.keyArn] },
      ],
    });
    tables.acknowledgeFreshTables(this);
    new Rule(this, 'EveryMinute', {
      description: 'Lets the canary device report.',
      schedule: Schedule.rate(Duration.minutes(CANARY_PERIOD_MINUTES)),
      // The next minute brings the next report: none is made up for.
      targets: [new LambdaTarget(this.deployed.live, { retryAttempts: 0, maxEventAge: Duration.minutes(1) })],
    });
  }
}
