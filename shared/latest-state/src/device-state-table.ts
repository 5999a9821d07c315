import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Clock } from '@twinstream/runtime';

export interface DynamoDbLatestStateOptions {
  readonly tableName: string;
  /** Asks for the write units of each write. Default: false. */
  readonly measure?: boolean;
  readonly clock?: Clock;
  /** Draws from [0, 1). Default: Math.random. */
  readonly random?: () => number;
}

/** A device-state table and how it is read. */
export interface DeviceStateTable extends Required<DynamoDbLatestStateOptions> {
  readonly client: DynamoDBClient;
}
