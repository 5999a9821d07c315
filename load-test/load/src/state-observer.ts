import { BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { textValue } from '@twinstream/aws/dynamodb';

/** The version of a device's state that a read found. */
export interface Observation {
  readonly session: number;
  readonly counter: number;
  /** When the answer was here: the state was readable then, and maybe earlier by up to one round of reads. */
  readonly atMs: number;
}

/** Reads the states of some devices repeatedly. */
export interface StateObserver {
  /** One round. Rejects when the table cannot be read. */
  observe(): Promise<void>;
  /** By device, the rises of its version, in order. */
  readonly observations: ReadonlyMap<string, readonly Observation[]>;
}

/** BatchGetItem, API reference, read 2026-11. */
const BATCH_GET_ITEMS_MAX = 100;

export interface StateObserverOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** At most {@link BATCH_GET_ITEMS_MAX}. */
  readonly deviceIds: readonly string[];
  readonly now: () => number;
}

/**
 * Reads `session` and `counter` of the devices' items in the latest-state table itself, consistently, in one request a
 * round: what it sees is readable, whatever the pipeline says of itself.
 */
export function stateObserver(options: StateObserverOptions): StateObserver {
  const { client, tableName, deviceIds, now } = options;
  if (deviceIds.length > BATCH_GET_ITEMS_MAX) throw new RangeError('too many devices for one request');
  const observations = new Map<string, Observation[]>(deviceIds.map((id) => [id, []]));
  const keys = deviceIds.map((id) => ({ deviceId: textValue(id) }));
  return {
    observations,
    async observe() {
      const { Responses } = await client.send(
        new BatchGetItemCommand({
          RequestItems: {
            [tableName]: {
              Keys: keys,
              ConsistentRead: true,
              ProjectionExpression: 'deviceId, #session, #counter',
              ExpressionAttributeNames: { '#session': 'session', '#counter': 'counter' },
            },
          },
        }),
      );
      const atMs = now();
      for (const { deviceId, session, counter } of Responses?.[tableName] ?? []) {
        const seen = observations.get(deviceId?.S ?? '');
        if (seen === undefined || session?.N === undefined || counter?.N === undefined) continue;
        const found = { session: Number(session.N), counter: Number(counter.N), atMs };
        const last = seen.at(-1);
        if (last === undefined || last.session < found.session || last.counter < found.counter) {
          seen.push(found);
        }
      }
    },
  };
}

/** When a version of a device was first seen to be in its state; undefined when it never was. */
export function readableAtMs(
  observations: readonly Observation[],
  session: number,
  counter: number,
): number | undefined {
  let [low, high] = [0, observations.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const seen = observations[middle];
    const covers =
      seen !== undefined && (seen.session > session || (seen.session === session && seen.counter >= counter));
    if (covers) high = middle;
    else low = middle + 1;
  }
  return observations[low]?.atMs;
}
