import {
  type BatchedItemsOptions,
  batchedItems,
  type DynamoDbRequests,
  dynamoDbClient,
  type Item,
} from '@twinstream/aws/dynamodb';
import { dynamoDbEventStore } from '@twinstream/event-store';
import { dynamoDbLatestStateTable } from '@twinstream/latest-state';
import type { Random } from '@twinstream/test-kit';
import { type BoundStatement, boundStatement, carryOutStatement } from './carry-out-statement.ts';
import { eventItems, stateItems } from './item-tables.ts';
import type { Network } from './network.ts';
import type { Owner, Scheduler } from './scheduler.ts';
import { Violation } from './violation.ts';
import { reachedBy, type Stores } from './watched-stores.ts';

export interface BatchSurroundings {
  readonly network: Pick<Network, 'call' | 'callBatch'>;
  readonly onViolation: (error: unknown) => void;
  /** When writes gather and are sent again. */
  readonly timing: Required<Pick<BatchedItemsOptions, 'clock' | 'random' | 'schedule'>>;
}

interface ItemFound {
  readonly item: Item | undefined;
}

const EVENTS = 'events';
const DEVICE_STATE = 'device-state';
const WRITES = 'batch of writes';
const READS = 'batch of reads';
const THROTTLED = { Error: { Code: 'ThrottlingError', Message: 'simulated' } } as const;
const ANSWERED = { $metadata: {} } as const;

/** Whatever the item client does not send is reached another way here. */
const UNUSED_CLIENT = dynamoDbClient({
  region: 'us-east-1',
  credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
  requestHandler: { handle: () => Promise.reject(new Error('a request past the item client')) },
});

/**
 * The stores as one process sees them that writes pages, snapshots and states, and reads states, as on AWS: by the real code
 * that gathers them into batches, sends what failed again and reads what stood there. Everything else travels as {@link reachedBy} says.
 */
export function reachedInBatches(owner: Owner, stores: Stores, around: BatchSurroundings): Stores {
  const items = batchedItems(simulatedDynamoDb(owner, stores, around), around.timing);
  const eventStore = dynamoDbEventStore(UNUSED_CLIENT, { tableName: EVENTS, items });
  const latestState = dynamoDbLatestStateTable(UNUSED_CLIENT, { tableName: DEVICE_STATE, items });
  const single = reachedBy(owner, stores, around.network);
  return {
    ...single,
    eventStore: {
      ...single.eventStore,
      appendPage: eventStore.appendPage,
      putSnapshot: eventStore.putSnapshot,
    },
    latestState: { ...single.latestState, read: latestState.read, write: latestState.write },
  };
}

/** Time as the scheduler lets it pass: what is due at the end of a turn of the event loop is due at some later turn. */
export function scheduledTiming(
  owner: Owner,
  scheduler: Scheduler,
  random: Random,
): BatchSurroundings['timing'] {
  const clock = scheduler.clockOf(owner);
  return {
    clock,
    random: () => random.next(),
    schedule: (callback, ms) => {
      const calledOff = new AbortController();
      const { signal } = calledOff;
      const wait = ms === 0 ? scheduler.step(owner, signal) : clock.sleep(ms, signal);
      // It rejects when it is called off, and then alone.
      wait.then(callback, () => undefined);
      return () => calledOff.abort();
    },
  };
}

/** Two tables over the ground truth. Statements of a batch take effect one by one, in any order. */
function simulatedDynamoDb(
  owner: Owner,
  { eventStore, latestState }: Stores,
  { network, onViolation }: BatchSurroundings,
): DynamoDbRequests {
  const tables = new Map([
    [EVENTS, eventItems(eventStore)],
    [DEVICE_STATE, stateItems(latestState)],
  ]);
  const effectOf = (bound: BoundStatement) => async () => {
    try {
      return await carryOutStatement(bound);
    } catch (error) {
      onViolation(error);
      return { Error: { Code: 'InternalServerError', Message: String(error) } } as const;
    }
  };
  return {
    getItem: async ({ TableName = '', Key = {} }, { abortSignal } = {}) => {
      const table = tables.get(TableName);
      const found = await network.call(owner, 'item read', async () => table?.get(Key), abortSignal);
      return found === undefined ? ANSWERED : { ...ANSWERED, Item: found };
    },
    batchExecuteStatement: async ({ Statements = [] }, { abortSignal } = {}) => {
      const bound = Statements.map((statement) => boundStatement(statement, tables));
      if (new Set(bound.map(({ place }) => place)).size < bound.length) {
        onViolation(new Violation('no batch holds two writes of one item', owner));
      }
      const effects = bound.map(effectOf);
      const call = { operation: WRITES, effects, throttled: THROTTLED, signal: abortSignal };
      return { ...ANSWERED, Responses: await network.callBatch(owner, call) };
    },
    putItem: unsent,
    updateItem: unsent,
    batchGetItem: async ({ RequestItems = {} }, { abortSignal } = {}) => {
      const wanted = Object.entries(RequestItems).flatMap(([tableName, { Keys = [] }]) =>
        Keys.map((key) => ({ tableName, key })),
      );
      const effects = wanted.map(({ tableName, key }) => async (): Promise<ItemFound> => {
        return { item: await tables.get(tableName)?.get(key) };
      });
      const call = { operation: READS, effects, throttled: 'unprocessed' as const, signal: abortSignal };
      const answers = await network.callBatch<ItemFound | 'unprocessed'>(owner, call);
      const Responses: Record<string, Item[]> = {};
      const UnprocessedKeys: Record<string, { Keys: Item[] }> = {};
      for (const [index, { tableName, key }] of wanted.entries()) {
        const answer = answers[index] ?? 'unprocessed';
        if (answer === 'unprocessed') {
          UnprocessedKeys[tableName] ??= { Keys: [] };
          UnprocessedKeys[tableName].Keys.push(key);
        } else if (answer.item !== undefined) {
          Responses[tableName] ??= [];
          Responses[tableName].push(answer.item);
        }
      }
      return { ...ANSWERED, Responses, UnprocessedKeys };
    },
  };
}

async function unsent(): Promise<never> {
  throw new Error('writes are sent in batches');
}
