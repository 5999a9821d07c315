import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { dynamoDbRequest, requireText, textValue } from '@twinstream/aws/dynamodb';
import { deviceId } from '@twinstream/device-model';
import type { DeviceStateTable } from './device-state-table.ts';
import type { DeviceListAnswer, DeviceListQuery } from './latest-state-table.ts';
import { decodeListCursor, encodeListCursor, requireListLimit } from './list-cursor.ts';
import { decodeState } from './state-item.ts';

/** One page of a scan. */
export async function listDevices(
  { client, tableName }: DeviceStateTable,
  { limit, cursor, signal }: DeviceListQuery,
): Promise<DeviceListAnswer> {
  requireListLimit(limit);
  const after = decodeListCursor(cursor);
  const { Items = [], LastEvaluatedKey } = await dynamoDbRequest(signal, (options) =>
    client.send(
      new ScanCommand({
        TableName: tableName,
        Limit: limit,
        ...(after === undefined ? {} : { ExclusiveStartKey: { deviceId: textValue(after) } }),
      }),
      options,
    ),
  );
  const devices = Items.map(decodeState);
  if (LastEvaluatedKey === undefined) return { devices };
  return { devices, cursor: encodeListCursor(deviceId(requireText(LastEvaluatedKey, 'deviceId'))) };
}
