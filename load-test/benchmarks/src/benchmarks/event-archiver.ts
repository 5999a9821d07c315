import {
  createArchiver,
  FIREHOSE_BILLING_BYTES,
  memoryDeliveryStream,
  packBatch,
} from '@twinstream/event-archiver';
import { createLogger, systemClock } from '@twinstream/runtime';
import {
  encodeAggregate,
  type KinesisLambdaEvent,
  readBatch,
  type StreamBatch,
} from '@twinstream/stream-model';
import { lambdaBatch, lambdaContext } from '@twinstream/stream-model/testing';
import type { Benchmark, Figure } from '../benchmark.ts';

const EVENT_BYTES = 171;
const EVENTS = 10_000;
const EVENTS_AN_AGGREGATE = 100;
const DEVICES = 500;
const WARM_UP_ROUNDS = 10;
const ROUNDS = 30;
/** The bar of the archiver on one core. */
const EVENTS_A_SECOND_AT_LEAST = 200_000;
const FIRST_SEQUENCE_NUMBER = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n;

function eventOf(n: number): Buffer {
  const event = {
    v: 1,
    deviceId: `bus-${n % DEVICES}`,
    type: 'reported',
    time: new Date(1_490_072_431_000 + n * 97).toISOString(),
    session: 3,
    counter: n,
    data: { speedMph: (n % 600) / 10, routeId: `${n % 40}`, filler: '' },
  };
  const bytes = JSON.stringify(event).length + 1;
  event.data.filler = 'x'.repeat(EVENT_BYTES - bytes);
  return Buffer.from(`${JSON.stringify(event)}\n`);
}

function batchOf(payloads: readonly Uint8Array[]): KinesisLambdaEvent {
  const records = payloads.map((data, index) => ({
    sequenceNumber: `${FIRST_SEQUENCE_NUMBER + BigInt(index)}`,
    partitionKey: `bus-${index % DEVICES}`,
    data,
    arrivalTime: 1_790_000_000_000 + index,
  }));
  return lambdaBatch({ records });
}

/** Median of the rounds, in events a second. */
async function eventsASecond(round: () => unknown): Promise<number> {
  const rates: number[] = [];
  for (let n = 0; n < WARM_UP_ROUNDS + ROUNDS; n += 1) {
    const startedAt = performance.now();
    await round();
    if (n >= WARM_UP_ROUNDS) rates.push((EVENTS / (performance.now() - startedAt)) * 1_000);
  }
  return Math.round(rates.sort((a, b) => a - b)[ROUNDS >> 1] ?? 0);
}

/** The baseline way: parse each event, put it into an object with its position, and write that as a record of its own. */
function baselineRecords({ shardId, records }: StreamBatch): Buffer[] {
  return records.map(({ sequenceNumber, arrivalTime, partitionKey, data }) => {
    const event: unknown = JSON.parse(data.toString());
    const time = new Date(arrivalTime).toISOString();
    const line = { shardId, sequenceNumber, subSequenceNumber: 0, arrivalTime: time, partitionKey, event };
    return Buffer.from(`${JSON.stringify(line)}\n`);
  });
}

function billedBytesAnEvent(records: Iterable<{ readonly length: number }>): number {
  let bytes = 0;
  for (const { length } of records) {
    bytes += Math.ceil(length / FIREHOSE_BILLING_BYTES) * FIREHOSE_BILLING_BYTES;
  }
  return Math.round(bytes / EVENTS);
}

const benchmark: Benchmark = {
  name: 'event-archiver',
  compares:
    `archive lines of ${EVENT_BYTES}-byte events, ${EVENTS} a batch, on one core without a network: ours, verbatim and ` +
    'packed, and the baseline way, one record per event made by JSON.parse and JSON.stringify',
  run: async () => {
    const events = Array.from({ length: EVENTS }, (_, n) => eventOf(n));
    const aggregates = Array.from({ length: EVENTS / EVENTS_AN_AGGREGATE }, (_, n) =>
      encodeAggregate(
        events
          .slice(n * EVENTS_AN_AGGREGATE, (n + 1) * EVENTS_AN_AGGREGATE)
          .map((data, index) => ({ partitionKey: `bus-${(n + index) % DEVICES}`, data })),
      ),
    );
    const plain = batchOf(events);
    const [plainBatch, aggregatedBatch] = [readBatch(plain), readBatch(batchOf(aggregates))];
    const archive = () =>
      createArchiver({
        deliveryStream: memoryDeliveryStream(),
        clock: systemClock,
        logger: createLogger('benchmark', 'silent'),
        random: Math.random,
      })(plain, lambdaContext());
    const rate = { unit: 'events/s', atLeast: EVENTS_A_SECOND_AT_LEAST };
    const figures: Figure[] = [];
    const add = async (
      name: string,
      subject: string,
      round: () => unknown,
      bar: Pick<Figure, 'unit' | 'atLeast'>,
    ) => {
      figures.push({ name, subject, value: await eventsASecond(round), ...bar });
    };
    await add('lines packed, plain records', 'twinstream', () => [...packBatch(plainBatch)], rate);
    await add('lines made, plain records', 'baseline', () => baselineRecords(plainBatch), {
      unit: 'events/s',
    });
    await add('lines packed, aggregated records', 'twinstream', () => [...packBatch(aggregatedBatch)], rate);
    await add('batch archived, from the event of Lambda to its answer', 'twinstream', archive, {
      unit: 'events/s',
    });
    const packs = [...packBatch(plainBatch)].map(({ data }) => data);
    const billed = { name: 'bytes billed by Firehose', unit: 'bytes/event' };
    figures.push({ ...billed, subject: 'twinstream', value: billedBytesAnEvent(packs) });
    figures.push({ ...billed, subject: 'baseline', value: billedBytesAnEvent(baselineRecords(plainBatch)) });
    return figures;
  },
};

export default benchmark;
