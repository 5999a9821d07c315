import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';

type TableDefinition = Omit<CreateTableCommandInput, 'TableName'>;

/**
 * The device-state table, its name left to the deployment. Local start, tests and infrastructure share it. It has no index: one by
 * status or site would send a million first writes to a few partitions of 1,000 write units a second.
 */
export const DEVICE_STATE_TABLE_DEFINITION = {
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'deviceId', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'deviceId', KeyType: 'HASH' }],
} satisfies TableDefinition;

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
