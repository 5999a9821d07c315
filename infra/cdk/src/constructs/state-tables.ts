import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { EVENTS_TABLE_DEFINITION } from '@twinstream/event-store';
import { DEVICE_STATE_TABLE_DEFINITION, SHARD_PROGRESS_TABLE_DEFINITION } from '@twinstream/latest-state';
import { CodedError } from '@twinstream/runtime';
import { OPERATIONS_TABLE_DEFINITION } from '@twinstream/table-generation';
import { RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import {
  type Attribute,
  AttributeType,
  BillingMode,
  StreamViewType,
  Table,
  TableClass,
  TableEncryption,
  type TableOptions,
} from 'aws-cdk-lib/aws-dynamodb';
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { operatedNames, type PipelineTables } from './pipeline-tables.ts';

type TableDefinition = Omit<CreateTableCommandInput, 'TableName'>;

/** "Actions defined by Amazon DynamoDB", service authorization reference, read 2026-11: those that change items, but for the INSERT of PartiQL. */
const OVERWRITING_ACTIONS = [
  'dynamodb:BatchWriteItem',
  'dynamodb:DeleteItem',
  'dynamodb:PartiQLDelete',
  'dynamodb:PartiQLUpdate',
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
];

/** How the tables of events and states are paid and sized; units a second of each. */
export type TableCapacity =
  | {
      readonly mode: 'on-demand';
      /** Most write units: what bounds the cost. Default: the quota of the account. */
      readonly writeUnitsMax?: number | undefined;
      /** Write units that the tables take from the first day. It is paid once, and cannot be lowered. Default: those of a new table. */
      readonly warmWriteUnits?: number | undefined;
    }
  | { readonly mode: 'provisioned'; readonly writeUnitsMin: number; readonly writeUnitsMax: number };

export interface StateTablesProps {
  readonly key: IKey;
  readonly keepsData: boolean;
  /** Of the tables of events and states. */
  readonly capacity: TableCapacity;
  readonly eventsTableClass: 'standard' | 'infrequent-access';
  /** Whether changes of the states go on a DynamoDB stream. */
  readonly streamsStateChanges: boolean;
  /** Name of the fresh tables that a promotion has put into use. */
  readonly generation: string | undefined;
}

/** The tables: what happened, how things stand, how far each shard is, and what operators are doing. */
export class StateTables extends Construct implements PipelineTables {
  readonly events: Table;
  readonly deviceState: Table;
  readonly shardProgress: Table;
  readonly operations: Table;
  /** What the names of tables begin with that a replay builds beside the live ones. A promotion puts them to use without a deployment. */
  readonly freshTablesPrefix: string;
  /** The role that may replace pages. A name, so that table and role do not wait for each other. */
  readonly breakGlassRoleName: string;
  /** Names of the tables in use: those of the stack, or those that a promotion has put in their place. */
  readonly inUse: { readonly events: string; readonly deviceState: string };

  constructor(scope: Construct, id: string, props: StateTablesProps) {
    super(scope, id);
    const { freshTablesPrefix, breakGlassRoleName } = operatedNames(this);
    this.freshTablesPrefix = freshTablesPrefix;
    this.breakGlassRoleName = breakGlassRoleName;
    const table = (name: string, definition: TableDefinition, more: Partial<TableOptions> = {}) =>
      new Table(this, name, {
        partitionKey: keyAttribute(definition, definition.KeySchema, 'HASH'),
        ...(hasRange(definition.KeySchema)
          ? { sortKey: keyAttribute(definition, definition.KeySchema, 'RANGE') }
          : {}),
        billingMode: BillingMode.PAY_PER_REQUEST,
        encryption: TableEncryption.CUSTOMER_MANAGED,
        encryptionKey: props.key,
        pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
        deletionProtection: props.keepsData,
        removalPolicy: props.keepsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
        ...more,
      });
    const sized = sizeOf(props.capacity);
    this.events = table('Events', EVENTS_TABLE_DEFINITION, {
      ...sized,
      ...(props.eventsTableClass === 'standard' ? {} : { tableClass: TableClass.STANDARD_INFREQUENT_ACCESS }),
      resourcePolicy: this.appendOnly(),
    });
    this.deviceState = table('DeviceState', DEVICE_STATE_TABLE_DEFINITION, {
      ...sized,
      ...(props.streamsStateChanges ? { stream: StreamViewType.NEW_AND_OLD_IMAGES } : {}),
    });
    scale([this.events, this.deviceState], props.capacity);
    this.shardProgress = table('ShardProgress', SHARD_PROGRESS_TABLE_DEFINITION);
    this.operations = table('Operations', OPERATIONS_TABLE_DEFINITION);
    const { generation } = props;
    const fresh = `${this.freshTablesPrefix}${generation}`;
    this.inUse =
      generation === undefined
        ? { events: this.events.tableName, deviceState: this.deviceState.tableName }
        : { events: `${fresh}-events`, deviceState: `${fresh}-device-state` };
  }

  /** Denies every action that replaces, changes or removes an item, whatever a role allows. An INSERT refuses a key that is taken. */
  private appendOnly(): PolicyDocument {
    const breakGlass = Stack.of(this).formatArn({
      service: 'iam',
      region: '',
      resource: 'role',
      resourceName: this.breakGlassRoleName,
    });
    return new PolicyDocument({
      statements: [
        new PolicyStatement({
          sid: 'AppendOnly',
          effect: Effect.DENY,
          principals: [new AnyPrincipal()],
          actions: OVERWRITING_ACTIONS,
          // A policy of a table is about that table alone.
          resources: ['*'],
          conditions: { ArnNotEquals: { 'aws:PrincipalArn': breakGlass } },
        }),
      ],
    });
  }

  /** The live table of events, and those that replays build. */
  eventsArns(): string[] {
    return [this.events.tableArn, this.freshArn('events')];
  }

  /** The live table of states, and those that replays build. */
  deviceStateArns(): string[] {
    return [this.deviceState.tableArn, this.freshArn('device-state')];
  }

  /** Says why a role may use tables that are not there yet. */
  acknowledgeFreshTables(role: Construct): void {
    const { region, account } = Stack.of(this);
    // As the rules write an ARN: a region or an account that the app leaves open has a name in it.
    const written = (value: string, name: string) => (Token.isUnresolved(value) ? `<AWS::${name}>` : value);
    const place = `${written(region, 'Region')}:${written(account, 'AccountId')}`;
    for (const kind of ['events', 'device-state']) {
      Validations.of(role).acknowledge({
        id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:dynamodb:${place}:table/${this.freshTablesPrefix}*-${kind}]`,
        reason:
          'Tables that replays build beside the live ones; a promotion puts them to use without a deployment.',
      });
    }
  }

  private freshArn(kind: 'events' | 'device-state'): string {
    const resourceName = `${this.freshTablesPrefix}*-${kind}`;
    return Stack.of(this).formatArn({ service: 'dynamodb', resource: 'table', resourceName });
  }
}

/** Capacity that auto scaling aims at ("DynamoDB auto scaling", its default). */
const TARGET_USE_PERCENT = 70;
/** Reads are of states that are not in memory, and of the API: few beside the writes. */
const READS_OF_WRITES = 0.1;
const readUnits = (writeUnits: number) => Math.max(5, Math.ceil(writeUnits * READS_OF_WRITES));
/** A new table on demand takes as many reads ("DynamoDB warm throughput", read 2026-12). */
const WARM_READ_UNITS = 12_000;

function sizeOf(capacity: TableCapacity): Partial<TableOptions> {
  if (capacity.mode === 'provisioned') {
    const { writeUnitsMin: writeCapacity } = capacity;
    return { billingMode: BillingMode.PROVISIONED, writeCapacity, readCapacity: readUnits(writeCapacity) };
  }
  const { writeUnitsMax, warmWriteUnits } = capacity;
  return {
    ...(writeUnitsMax === undefined ? {} : { maxWriteRequestUnits: writeUnitsMax }),
    ...(warmWriteUnits === undefined
      ? {}
      : { warmThroughput: { writeUnitsPerSecond: warmWriteUnits, readUnitsPerSecond: WARM_READ_UNITS } }),
  };
}

function scale(tables: readonly Table[], capacity: TableCapacity): void {
  if (capacity.mode === 'on-demand') return;
  const { writeUnitsMin: minCapacity, writeUnitsMax: maxCapacity } = capacity;
  for (const table of tables) {
    const target = { targetUtilizationPercent: TARGET_USE_PERCENT };
    table.autoScaleWriteCapacity({ minCapacity, maxCapacity }).scaleOnUtilization(target);
    table
      .autoScaleReadCapacity({ minCapacity: readUnits(minCapacity), maxCapacity: readUnits(maxCapacity) })
      .scaleOnUtilization(target);
  }
}

type KeySchema = TableDefinition['KeySchema'];
const ATTRIBUTE_TYPES = {
  S: AttributeType.STRING,
  N: AttributeType.NUMBER,
  B: AttributeType.BINARY,
} as const;

function hasRange(schema: KeySchema): boolean {
  return schema?.some(({ KeyType }) => KeyType === 'RANGE') ?? false;
}

function keyAttribute(definition: TableDefinition, schema: KeySchema, type: 'HASH' | 'RANGE'): Attribute {
  const name = schema?.find(({ KeyType }) => KeyType === type)?.AttributeName;
  const attribute = definition.AttributeDefinitions?.find(({ AttributeName }) => AttributeName === name);
  if (name === undefined || attribute?.AttributeType === undefined) {
    throw new CodedError('INVALID_TABLE', `the definition of a table names no ${type} key`);
  }
  return { name, type: ATTRIBUTE_TYPES[attribute.AttributeType] };
}
