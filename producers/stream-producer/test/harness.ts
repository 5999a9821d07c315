import { decodeRecord, type ShardId } from '@twinstream/stream-model';
import { seededRandom, type VirtualClock, virtualClock } from '@twinstream/test-kit';
import type { StreamProducerOptions } from '../src/options.ts';
import type { PutOutcome } from '../src/put-outcome.ts';
import { createStreamProducer, type StreamProducer } from '../src/stream-producer.ts';
import { eventText } from '../src/testing/stream-audit.ts';
import { createKinesisStub, type KinesisStub, type KinesisStubOptions } from './kinesis-stub.ts';

/** A producer in front of a stub, on a clock of its own. */
export interface Harness {
  readonly clock: VirtualClock;
  readonly stub: KinesisStub;
  readonly producer: StreamProducer;
  /** Every outcome so far, in order. */
  readonly outcomes: readonly PutOutcome[];
  /** Puts `text` for a device and notes its outcome; resolves when it is accepted. */
  put(device: string, text: string): Promise<void>;
  /** Texts of the outcomes of that status, in order. */
  texts(status: PutOutcome['status']): readonly string[];
}

export interface HarnessOptions {
  readonly stub?: Omit<KinesisStubOptions, 'clock'>;
  readonly producer?: Omit<StreamProducerOptions, 'transport' | 'clock' | 'random'>;
  /** Stands between producer and stub, when given. */
  wrap?(stub: KinesisStub, clock: VirtualClock): StreamProducerOptions['transport'];
}

export async function createHarness(options: HarnessOptions = {}): Promise<Harness> {
  const clock = virtualClock();
  const stub = createKinesisStub({ shardCount: 1, latencyMs: [5, 5], ...options.stub, clock });
  const transport = options.wrap?.(stub, clock) ?? stub;
  const random = seededRandom(1).next;
  const producer = await clock.run(createStreamProducer({ ...options.producer, transport, clock, random }));
  const outcomes: PutOutcome[] = [];
  return {
    clock,
    stub,
    producer,
    outcomes,
    async put(device, text) {
      await producer.put({ partitionKey: device, data: Buffer.from(text) }, (outcome) => {
        outcomes.push(outcome);
      });
    },
    texts: (status) =>
      outcomes.filter((outcome) => outcome.status === status).map(({ record }) => textOf(record.data)),
  };
}

export function textOf(data: Uint8Array): string {
  return Buffer.from(data).toString();
}

/** Texts of the plain records in the stream, in the order of arrival. */
export function storedTexts(stub: KinesisStub): readonly string[] {
  return stub.records.map(({ data }) => textOf(data));
}

/** Texts of the events that a record carries. */
export function textsIn(data: Uint8Array): readonly string[] {
  const decoded = decodeRecord(data);
  return decoded.status === 'aggregated'
    ? decoded.records.map((entry) => textOf(entry.data))
    : [textOf(data)];
}

/** A small fleet. */
export const DEVICES: readonly string[] = Array.from({ length: 40 }, (_, index) => `device-${index}`);

/** Puts the next event of every device, and returns how many each has now. */
export async function putRound({ put }: Harness, round: number): Promise<ReadonlyMap<string, number>> {
  for (const device of DEVICES) await put(device, eventText(device, round));
  return new Map(DEVICES.map((device) => [device, round + 1]));
}

export function firstShard(stub: KinesisStub): ShardId {
  const [shard] = stub.openShards();
  if (shard === undefined) throw new Error('no shard');
  return shard.shardId;
}
