import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { ItemClient } from '@twinstream/aws/dynamodb';

export interface DynamoDbLatestStateOptions {
  readonly tableName: string;
  /** How single items are read and advanced. Default: writes in batches, the SDK's way. */
  readonly items?: ItemClient;
}

/** A device-state table and how it is read. */
export interface DeviceStateTable extends Required<DynamoDbLatestStateOptions> {
  readonly client: DynamoDBClient;
}
