import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';

/** Attributes that make the primary key of the events table. */
export const EVENTS_PARTITION_KEY = 'deviceId';
export const EVENTS_SORT_KEY = 'key';

/** The events table, its name left to the deployment. Local start, tests and infrastructure share it. */
export const EVENTS_TABLE_DEFINITION = {
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: EVENTS_PARTITION_KEY, AttributeType: 'S' },
    { AttributeName: EVENTS_SORT_KEY, AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: EVENTS_PARTITION_KEY, KeyType: 'HASH' },
    { AttributeName: EVENTS_SORT_KEY, KeyType: 'RANGE' },
  ],
} satisfies Omit<CreateTableCommandInput, 'TableName'>;
