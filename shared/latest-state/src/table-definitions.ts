import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';

/** Indexes of the device-state table. They hold keys alone, so that an update which moves no device between sites or statuses does not touch them. */
export const BY_SITE_INDEX = 'by-site';
export const BY_STATUS_INDEX = 'by-status';

type TableDefinition = Omit<CreateTableCommandInput, 'TableName'>;

/** The device-state table, its name left to the deployment. Local start, tests and infrastructure share it. */
export const DEVICE_STATE_TABLE_DEFINITION = {
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'deviceId', AttributeType: 'S' },
    { AttributeName: 'site', AttributeType: 'S' },
    { AttributeName: 'status', AttributeType: 'S' },
  ],
  KeySchema: [{ AttributeName: 'deviceId', KeyType: 'HASH' }],
  GlobalSecondaryIndexes: [keysOnlyIndex(BY_SITE_INDEX, 'site'), keysOnlyIndex(BY_STATUS_INDEX, 'status')],
} satisfies TableDefinition;

function keysOnlyIndex(name: string, partitionKey: string) {
  return {
    IndexName: name,
    KeySchema: [
      { AttributeName: partitionKey, KeyType: 'HASH' as const },
      { AttributeName: 'deviceId', KeyType: 'RANGE' as const },
    ],
    Projection: { ProjectionType: 'KEYS_ONLY' as const },
  };
}

/** The shard-progress table, its name left to the deployment. */
export const SHARD_PROGRESS_TABLE_DEFINITION = {
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'streamName', AttributeType: 'S' },
    { AttributeName: 'shardId', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'streamName', KeyType: 'HASH' },
    { AttributeName: 'shardId', KeyType: 'RANGE' },
  ],
} satisfies TableDefinition;
