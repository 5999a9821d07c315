import { LAMBDA_DEFAULT_SETTINGS, type ResolvedSettings } from '@twinstream/pipeline-settings';
import { createLogger } from '@twinstream/runtime';
import { shardId } from '@twinstream/stream-model';
import { type VirtualClock, virtualClock } from '@twinstream/test-kit';
import { type Checkpoint, type CheckpointStore, memoryCheckpointStore } from '../../src/lambda/checkpoint.ts';
import { consumeStream } from '../../src/lambda/consume-stream.ts';
import type { DiscardedBatch } from '../../src/lambda/failure-destination.ts';
import type { InvokeOutcome } from '../../src/lambda/function-invoker.ts';
import { type MappingMetrics, mappingMetrics } from '../../src/lambda/mapping-metrics.ts';
import { readBudget } from '../../src/lambda/read-budget.ts';
import type { MappingContext } from '../../src/lambda/shard-consumer.ts';
import { type MemoryStream, memoryStream } from './memory-stream.ts';

/** A record as the function saw it. */
export interface SeenRecord {
  readonly text: string;
  readonly partitionKey: string;
  readonly sequenceNumber: string;
  readonly shardId: string;
}

export interface SeenInvocation {
  readonly atMs: number;
  readonly records: readonly SeenRecord[];
  /** The function's event, as JSON. */
  readonly payload: string;
}

/** What the scripted function does: its answer, a thrown error, or not being there. Undefined is an answer of null. */
export type Script = (invocation: SeenInvocation, index: number) => unknown | Promise<unknown>;

export class FunctionError extends Error {}
export class Unavailable extends Error {}

export interface WorldOptions {
  readonly settings?: Partial<ResolvedSettings>;
  readonly script?: Script;
  readonly recordsPerRead?: number;
  readonly checkpoints?: CheckpointStore;
  readonly clock?: VirtualClock;
  readonly stream?: MemoryStream;
  /** Rejects this many times before it keeps a batch; none at all when false. */
  readonly destinationFailures?: number | false;
  readonly filter?: MappingContext['filter'];
  readonly onDiscard?: (batch: DiscardedBatch) => void;
}

/** A mapping on a stream in memory, with a scripted function and virtual time. */
export interface World {
  readonly context: MappingContext;
  readonly clock: VirtualClock;
  readonly stream: MemoryStream;
  readonly checkpoints: CheckpointStore;
  readonly metrics: MappingMetrics;
  readonly invocations: readonly SeenInvocation[];
  readonly discarded: readonly DiscardedBatch[];
  /** Texts of all invocations, in order, one list each. */
  batches(): readonly (readonly string[])[];
  checkpoint(shard: string): Checkpoint | undefined;
  start(): void;
  /** Aborts and waits until nothing is under way. Throws what the script threw besides its planned failures. */
  stop(): Promise<void>;
}

export function mappingWorld(options: WorldOptions = {}): World {
  const clock = options.clock ?? virtualClock();
  const stream = options.stream ?? memoryStream(clock, options.recordsPerRead);
  const checkpoints = options.checkpoints ?? memoryCheckpointStore();
  const metrics = mappingMetrics();
  const invocations: SeenInvocation[] = [];
  const discarded: DiscardedBatch[] = [];
  const defects: unknown[] = [];
  const stop = new AbortController();
  let destinationFailures = options.destinationFailures === false ? 0 : (options.destinationFailures ?? 0);
  let done: Promise<void> = Promise.resolve();

  const invoke = async (payload: string): Promise<InvokeOutcome> => {
    const invocation = { atMs: clock.now(), records: seenRecords(payload), payload };
    const index = invocations.push(invocation) - 1;
    try {
      const answer = await options.script?.(invocation, index);
      return { kind: 'answered', requestId: `request-${index}`, payload: JSON.stringify(answer ?? null) };
    } catch (error) {
      if (error instanceof Unavailable) {
        invocations.pop();
        return { kind: 'unavailable', reason: 'scripted' };
      }
      if (!(error instanceof FunctionError)) defects.push(error);
      return { kind: 'function-error', requestId: `request-${index}`, payload: '{}' };
    }
  };
  const context: MappingContext = {
    mappingId: 'mapping-1',
    functionName: 'function-1',
    streamName: 'stream-1',
    origin: {
      streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/stream-1',
      region: 'us-east-1',
      roleArn: 'arn:role',
    },
    settings: {
      ...LAMBDA_DEFAULT_SETTINGS,
      startingPosition: { type: 'TRIM_HORIZON' },
      ...options.settings,
    },
    reader: stream,
    invoker: { invoke: (_name: string, payload: string) => invoke(payload) },
    checkpoints,
    failureDestination:
      options.destinationFailures === false
        ? undefined
        : {
            keep: (batch: DiscardedBatch) => {
              if (destinationFailures > 0) {
                destinationFailures -= 1;
                return Promise.reject(new Error('destination out of reach'));
              }
              discarded.push(batch);
              options.onDiscard?.(batch);
              return Promise.resolve();
            },
          },
    filter: options.filter,
    readBudget: readBudget(),
    clock,
    random: () => 0.5,
    logger: createLogger('test', 'silent'),
    observe: metrics.observe,
  };
  return {
    context,
    clock,
    stream,
    checkpoints,
    metrics,
    invocations,
    discarded,
    batches: () => invocations.map(({ records }) => records.map(({ text }) => text)),
    checkpoint: (shard) => checkpoints.read(shardId(shard)),
    start: () => {
      done = consumeStream(context, { stop: stop.signal, cut: new AbortController().signal });
    },
    stop: async () => {
      stop.abort();
      await done;
      if (defects.length > 0) throw new AggregateError(defects, 'the scripted function failed by mistake');
    },
  };
}

interface EventDocument {
  readonly Records: readonly {
    readonly eventID: string;
    readonly kinesis: {
      readonly partitionKey: string;
      readonly data: string;
      readonly sequenceNumber: string;
    };
  }[];
}

function seenRecords(payload: string): readonly SeenRecord[] {
  const event: EventDocument = JSON.parse(payload);
  return event.Records.map(({ eventID, kinesis }) => ({
    text: Buffer.from(kinesis.data, 'base64').toString('utf8'),
    partitionKey: kinesis.partitionKey,
    sequenceNumber: kinesis.sequenceNumber,
    shardId: eventID.split(':')[0] ?? '',
  }));
}

/** The answer that names records as failed. */
export function failing(...records: readonly SeenRecord[]) {
  return { batchItemFailures: records.map(({ sequenceNumber }) => ({ itemIdentifier: sequenceNumber })) };
}
