import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { EVENTS_TABLE_DEFINITION } from '@twinstream/event-store';
import { DEVICE_STATE_TABLE_DEFINITION, SHARD_PROGRESS_TABLE_DEFINITION } from '@twinstream/latest-state';
import { CodedError } from '@twinstream/runtime';
import { RemovalPolicy } from 'aws-cdk-lib';
import {
  type Attribute,
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

type TableDefinition = Omit<CreateTableCommandInput, 'TableName'>;

/** Jobs of operators and the generation of tables in use: items of a kind, each with an id. */
const OPERATIONS_TABLE_DEFINITION = {
  AttributeDefinitions: [
    { AttributeName: 'kind', AttributeType: 'S' },
    { AttributeName: 'id', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'kind', KeyType: 'HASH' },
    { AttributeName: 'id', KeyType: 'RANGE' },
  ],
} satisfies TableDefinition;

export interface StateTablesProps {
  readonly key: IKey;
  readonly keepsData: boolean;
  /** Whether changes of the states go on a DynamoDB stream. */
  readonly streamsStateChanges: boolean;
}

/** The tables: what happened, how things stand, how far each shard is, and what operators are doing. */
export class StateTables extends Construct {
  readonly events: Table;
  readonly deviceState: Table;
  readonly shardProgress: Table;
  readonly operations: Table;

  constructor(scope: Construct, id: string, props: StateTablesProps) {
    super(scope, id);
    const table = (name: string, definition: TableDefinition, stream?: StreamViewType) =>
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
        ...(stream === undefined ? {} : { stream }),
      });
    this.events = table('Events', EVENTS_TABLE_DEFINITION);
    this.deviceState = table(
      'DeviceState',
      DEVICE_STATE_TABLE_DEFINITION,
      props.streamsStateChanges ? StreamViewType.NEW_AND_OLD_IMAGES : undefined,
    );
    for (const index of DEVICE_STATE_TABLE_DEFINITION.GlobalSecondaryIndexes) {
      this.deviceState.addGlobalSecondaryIndex({
        indexName: index.IndexName,
        partitionKey: keyAttribute(DEVICE_STATE_TABLE_DEFINITION, index.KeySchema, 'HASH'),
        sortKey: keyAttribute(DEVICE_STATE_TABLE_DEFINITION, index.KeySchema, 'RANGE'),
        projectionType: ProjectionType[index.Projection.ProjectionType],
      });
    }
    this.shardProgress = table('ShardProgress', SHARD_PROGRESS_TABLE_DEFINITION);
    this.operations = table('Operations', OPERATIONS_TABLE_DEFINITION);
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
