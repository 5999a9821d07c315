import { BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDbRequest, type Item, requireText, textValue } from '@twinstream/aws/dynamodb';
import { type DeviceId, type DeviceState, deviceId } from '@twinstream/device-model';
import { decodeState } from '@twinstream/latest-state';
import { type Clock, CodedError } from '@twinstream/runtime';
import { fullJitterMs } from '@twinstream/stream-model';
import type { BatchFindings } from './coalesced-reads.ts';

/** BatchGetItem API reference, read 2026-11: 100 items, 16 MB; what exceeds the size or is throttled comes back unprocessed. */
export const STATE_BATCH_MAX = 100;
const TRIES_MAX = 5;
const BACKOFF = { baseMs: 25, capMs: 500 } as const;

export interface DynamoDbStateBatchOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clock: Clock;
  /** Draws from [0, 1). */
  readonly random: () => number;
}

/** Reads up to 100 states with one request, consistently. Throws `DYNAMODB_THROTTLED` when some are not given in five tries. */
export function dynamoDbStateBatch({ client, tableName, clock, random }: DynamoDbStateBatchOptions) {
  return async (deviceIds: readonly DeviceId[]): Promise<BatchFindings> => {
    const found = new Map<DeviceId, DeviceState | Error>();
    let keys: Item[] = deviceIds.map((id) => ({ deviceId: textValue(id) }));
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      if (tries > 0) await clock.sleep(fullJitterMs(tries - 1, BACKOFF, random));
      const command = new BatchGetItemCommand({
        RequestItems: { [tableName]: { Keys: keys, ConsistentRead: true } },
      });
      const answer = await dynamoDbRequest(undefined, (options) => client.send(command, options));
      for (const item of answer.Responses?.[tableName] ?? []) {
        found.set(deviceId(requireText(item, 'deviceId')), stateOrFault(item));
      }
      keys = answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
      if (keys.length === 0) return found;
    }
    throw new CodedError('DYNAMODB_THROTTLED', `${keys.length} states were not read in ${TRIES_MAX} tries`, {
      retryable: true,
    });
  };
}

/** One damaged item is no fault of the others. */
function stateOrFault(item: Item): DeviceState | Error {
  try {
    return decodeState(item);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}
