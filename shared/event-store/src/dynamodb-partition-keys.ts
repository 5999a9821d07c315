import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { dynamoDbRequest, type Item, requireText, textValue } from '@twinstream/aws/dynamodb';
import { KEY_MAX } from './sort-key.ts';

const FIRST_SCAN_ITEMS = 64;
const SCAN_ITEMS_MIN = 4;
const SCAN_ITEMS_MAX = 1_024;
/** Number of items per device above which a scan takes smaller steps; below it, larger ones. */
const ITEMS_PER_DEVICE = 4;

/**
 * Partition keys of the table, each once. After every step it jumps to the end of the device it is in, so that long chains are
 * skipped: a scan may start at a key that no item has ("Generate a distinct set of partition keys for an Amazon
 * DynamoDB table efficiently", AWS Database Blog, read 2026-11).
 */
export async function* partitionKeysOf(
  client: DynamoDBClient,
  tableName: string,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  let start: Item | undefined;
  let scanItems = FIRST_SCAN_ITEMS;
  do {
    const { Items = [], LastEvaluatedKey } = await dynamoDbRequest(signal, (options) =>
      client.send(
        new ScanCommand({
          TableName: tableName,
          ProjectionExpression: 'deviceId',
          Limit: scanItems,
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        }),
        options,
      ),
    );
    const found = new Set(Items.map((item) => requireText(item, 'deviceId')));
    yield* found;
    start = LastEvaluatedKey;
    const last = Items.at(-1);
    if (start !== undefined && last !== undefined) {
      start = { deviceId: textValue(requireText(last, 'deviceId')), key: textValue(KEY_MAX) };
    }
    const isDense = found.size * ITEMS_PER_DEVICE >= Items.length;
    scanItems = isDense ? Math.min(scanItems * 2, SCAN_ITEMS_MAX) : Math.max(scanItems >> 1, SCAN_ITEMS_MIN);
  } while (start !== undefined);
}
