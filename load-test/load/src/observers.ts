import { BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { textValue } from '@twinstream/aws/dynamodb';
import type { ShardProgressTable } from '@twinstream/latest-state';
import { sortableSequenceNumber } from '@twinstream/stream-model';

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

/** What was finished of a shard when it was looked at. */
export interface ProgressObservation {
  readonly atMs: number;
  /** Everything at or below it is finished; as text whose order is that of sequence numbers. */
  readonly through: string;
  /** Arrival of that record. */
  readonly arrivalMs: number;
}

/** A shard's lag at one moment. */
export interface LagSample {
  readonly atMs: number;
  readonly shardId: string;
  readonly through: string;
  /** Age of what was finished last. It is a lag only while more is waiting. */
  readonly ageMs: number;
}

/** Reads the checkpoints of the shards repeatedly. */
export interface ProgressObserver {
  /** One round. Rejects when the table cannot be read. */
  observe(): Promise<void>;
  /** By shard, the rises, in order. */
  readonly rises: ReadonlyMap<string, readonly ProgressObservation[]>;
  /** One of each shard at least every {@link LAG_EVERY_MS}. */
  readonly lags: readonly LagSample[];
}

export const LAG_EVERY_MS = 500;

export interface ProgressObserverOptions {
  readonly table: Pick<ShardProgressTable, 'read'>;
  readonly streamName: string;
  readonly now: () => number;
}

export function progressObserver({ table, streamName, now }: ProgressObserverOptions): ProgressObserver {
  const rises = new Map<string, ProgressObservation[]>();
  const lags: LagSample[] = [];
  let lagDueMs = 0;
  return {
    rises,
    lags,
    async observe() {
      const shards = await table.read(streamName);
      const atMs = now();
      const isLagDue = atMs >= lagDueMs;
      if (isLagDue) lagDueMs = atMs + LAG_EVERY_MS;
      for (const { shardId, finishedThrough, arrivalTime } of shards) {
        const through = sortableSequenceNumber(finishedThrough);
        const seen = rises.get(shardId) ?? [];
        rises.set(shardId, seen);
        if ((seen.at(-1)?.through ?? '') < through) seen.push({ atMs, through, arrivalMs: arrivalTime });
        if (isLagDue) lags.push({ atMs, shardId, through, ageMs: Math.max(0, atMs - arrivalTime) });
      }
    },
  };
}

/** When progress was first seen to have passed a place; undefined when it never was. */
export function finishedAtMs(rises: readonly ProgressObservation[], place: string): number | undefined {
  let [low, high] = [0, rises.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rises[middle]?.through ?? '') >= place) high = middle;
    else low = middle + 1;
  }
  return rises[low]?.atMs;
}

/** Work that is done repeatedly. */
export interface Repetition {
  stop(): void;
  /** Resolves when the last round has ended. */
  readonly stopped: Promise<void>;
  /** Rounds that rejected. */
  readonly failures: () => number;
}

/** Starts a round every `everyMs`, or immediately after one that took longer; never two concurrently. */
export function repeatedly(everyMs: number, work: () => Promise<void>): Repetition {
  const controller = new AbortController();
  let failures = 0;
  const run = async () => {
    while (!controller.signal.aborted) {
      const dueMs = performance.now() + everyMs;
      await work().catch(() => {
        failures += 1;
      });
      await pause(dueMs - performance.now(), controller.signal);
    }
  };
  return { stop: () => controller.abort(), stopped: run(), failures: () => failures };
}

/** Until the time is over or the signal is given. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, ms));
    signal.addEventListener('abort', done);
  });
}

/** Milliseconds since 1970, with fractions, as the simulator's ledger has them. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}
