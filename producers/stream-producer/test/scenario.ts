import { seededRandom, virtualClock } from '@twinstream/test-kit';
import type { MetricsSnapshot } from '../src/metrics.ts';
import type { StreamProducerOptions } from '../src/options.ts';
import type { AcknowledgedRecord, FailedRecord, FlushReport } from '../src/put-outcome.ts';
import { createStreamProducer } from '../src/stream-producer.ts';
import { eventText } from '../src/testing/stream-audit.ts';
import { createKinesisStub, type KinesisStub, type KinesisStubOptions } from './kinesis-stub.ts';

/** Load on a producer in front of a stub. */
export interface Scenario {
  readonly seed: number;
  readonly deviceCount: number;
  readonly eventCount: number;
  /** Events between two pauses of 1 ms. */
  readonly eventsPerMs: number;
  readonly stub?: Omit<KinesisStubOptions, 'clock' | 'seed'>;
  readonly producer?: Omit<StreamProducerOptions, 'transport' | 'clock' | 'random'>;
  /** Runs before the event of that number is put. */
  readonly during?: ReadonlyMap<number, (stub: KinesisStub, random: () => number) => void>;
}

export interface ScenarioResult {
  readonly stub: KinesisStub;
  /** Events put, by device. */
  readonly counts: ReadonlyMap<string, number>;
  readonly acknowledged: readonly AcknowledgedRecord[];
  readonly failed: readonly FailedRecord[];
  readonly report: FlushReport;
  readonly metrics: MetricsSnapshot;
  readonly bufferedBytesMax: number;
  readonly elapsedMs: number;
}

/** Puts all events as fast as the producer takes them, closes it, and returns what came of it. */
export async function runScenario(scenario: Scenario): Promise<ScenarioResult> {
  const clock = virtualClock();
  const random = seededRandom(scenario.seed).next;
  const stub = createKinesisStub({ ...scenario.stub, clock, seed: scenario.seed + 1 });
  const startMs = clock.now();
  const counts = new Map<string, number>();
  const acknowledged: AcknowledgedRecord[] = [];
  const failed: FailedRecord[] = [];
  let bufferedBytesMax = 0;

  async function load(): Promise<ScenarioResult> {
    const producer = await createStreamProducer({
      ...scenario.producer,
      transport: stub,
      clock,
      random: seededRandom(scenario.seed + 2).next,
    });
    for (let index = 0; index < scenario.eventCount; index += 1) {
      scenario.during?.get(index)?.(stub, random);
      // Some devices are much busier than others.
      const device = `device-${Math.floor(random() ** 3 * scenario.deviceCount)}`;
      const number = counts.get(device) ?? 0;
      counts.set(device, number + 1);
      const record = { partitionKey: device, data: Buffer.from(eventText(device, number)) };
      const wait = producer.put(record, (outcome) => {
        if (outcome.status === 'acknowledged') acknowledged.push(outcome);
        else failed.push(outcome);
      });
      bufferedBytesMax = Math.max(bufferedBytesMax, producer.metrics.snapshot().bufferedBytes);
      if (wait) await wait;
      if (index % scenario.eventsPerMs === 0) await clock.sleep(1);
    }
    const report = await producer.close();
    const metrics = producer.metrics.snapshot();
    return {
      stub,
      counts,
      acknowledged,
      failed,
      report,
      metrics,
      bufferedBytesMax,
      elapsedMs: clock.now() - startMs,
    };
  }

  return clock.run(load());
}

/** Splits a shard or merges two neighbours, whichever a draw says. */
export function reshard(stub: KinesisStub, random: () => number): void {
  const open = [...stub.openShards()].sort((a, b) => (a.hashKeyRange.start < b.hashKeyRange.start ? -1 : 1));
  const at = Math.floor(random() * open.length);
  const [shard, neighbour] = [open[at], open[at + 1]];
  if (shard === undefined) return;
  if (neighbour !== undefined && random() < 0.5) stub.merge(shard.shardId, neighbour.shardId);
  else {
    const { start, end } = shard.hashKeyRange;
    const step = (end - start) / 1_000n;
    if (step > 0n) stub.split(shard.shardId, start + step * BigInt(1 + Math.floor(random() * 998)));
  }
}
