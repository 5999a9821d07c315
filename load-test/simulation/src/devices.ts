import type { ArrivedEvent, DeviceId } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { openRecord, type UserRecordEntry } from '@twinstream/stream-model';
import {
  createStreamProducer,
  type StreamProducer,
  type StreamTransport,
  type TransportAnswer,
} from '@twinstream/stream-producer';
import type { Random } from '@twinstream/test-kit';
import { identityOf } from '@twinstream/verification';
import { mended } from './flawed-events.ts';
import { fleetDecoder, isNewFirmware } from './foreign-fleet.ts';
import type { Network } from './network.ts';
import { Violation } from './oracle.ts';
import type { Scenario } from './scenario.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimRecord, SimShard, SimStream } from './sim-stream.ts';
import { sendings } from './workload.ts';

const OWNER = 'devices';

export interface DevicesOptions {
  readonly scenario: Scenario;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly stream: SimStream;
  readonly isHostile: () => boolean;
  /** Told before each record, with the number of those before it. */
  readonly onSaid: (said: number) => void;
  readonly onViolation: (error: unknown) => void;
}

/** An event that a record really holds, read by the decoder that devices are promised. */
export interface HeldEvent extends ArrivedEvent {
  readonly deviceId: DeviceId;
  readonly identity: string;
  /** True where only the newer version of the mapping makes an event of it. */
  readonly isNewFirmware: boolean;
}

export function eventsOf(shard: SimShard, record: SimRecord): HeldEvent[] {
  const opened = openRecord(record);
  if (opened.status === 'damaged') return [];
  return opened.entries.flatMap((entry) => heldEvents(shard, record, entry));
}

/** Events that a record holds once an operator has mended it. */
export function mendedEventsOf(shard: SimShard, record: SimRecord): HeldEvent[] {
  return openRecord(record).entries.flatMap((entry) => {
    const data = mended(entry.data);
    return data === undefined ? [] : heldEvents(shard, record, { ...entry, data });
  });
}

function heldEvents(
  { shardId }: SimShard,
  { sequenceNumber, arrivalTime }: SimRecord,
  entry: UserRecordEntry,
): HeldEvent[] {
  const { events } = fleetDecoder(2).decode(entry, arrivalTime);
  return events.map(({ subSequenceNumber, decoded }) => {
    const place = { sequenceNumber, subSequenceNumber };
    return {
      ...decoded,
      deviceId: decoded.event.deviceId,
      identity: identityOf(shardId, { ...decoded, place }),
      place,
      arrivalTime,
      isNewFirmware: isNewFirmware(entry.data),
    };
  });
}

/** Devices that send, some through the project's producer, some straight into the stream. */
export class Devices {
  /** Identities that the stream holds, by device. */
  readonly accepted = new Map<DeviceId, Set<string>>();
  /** Those among them that the projector may refuse. */
  readonly refusable = new Map<DeviceId, Set<string>>();
  /** Identities that it holds once its poison is mended. */
  readonly mendable = new Map<DeviceId, Set<string>>();
  isDone = false;
  readonly #options: DevicesOptions;
  /** Identities in the order in which their device put them first. */
  readonly #putOrder = new Map<DeviceId, string[]>();
  /** How many of them have arrived. */
  readonly #arrivedCounts = new Map<DeviceId, number>();

  constructor(options: DevicesOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { scenario, random, scheduler, stream, onViolation } = this.#options;
    const { eventCount, reshardCount } = scenario;
    const reshardAt = new Set(Array.from({ length: reshardCount }, () => random.integer(eventCount)));
    const producer = await this.#createProducer();
    let said = 0;
    for (const { deviceId, data, event, throughProducer } of sendings(scenario, random)) {
      await scheduler.step(OWNER);
      this.#options.onSaid(said);
      if (reshardAt.has(said)) stream.reshard();
      said += 1;
      if (!throughProducer || event === undefined) {
        this.#accept(stream.put(deviceId, data));
        continue;
      }
      this.#remember(
        deviceId,
        identityOf(stream.shards[0]?.shardId ?? ('' as never), { event, place: NOWHERE }),
      );
      await producer.put({ partitionKey: deviceId, data }, (outcome) => {
        if (outcome.status === 'failed') onViolation(new Violation('the producer loses nothing', deviceId));
      });
    }
    await producer.close();
    for (const [deviceId, identities] of this.#putOrder) {
      if (this.#arrivedCounts.get(deviceId) !== identities.length) {
        onViolation(new Violation('what is acknowledged is in the stream', deviceId));
      }
    }
    this.isDone = true;
  }

  /** A producer cannot be had while the stream's shards cannot be read: devices try until it can. */
  async #createProducer(): Promise<StreamProducer> {
    const { scenario, random, scheduler } = this.#options;
    while (true) {
      try {
        return await createStreamProducer({
          transport: this.#transport(),
          aggregate: scenario.aggregate,
          aggregateRecordsMax: 3,
          lingerMs: 20,
          requestTimeoutMs: 500,
          requestRecordsMax: 4,
          clock: scheduler.clockOf(OWNER),
          random: () => random.next(),
          deadlineMs: 3_600_000,
        });
      } catch (error) {
        if (!(error instanceof CodedError) || !error.retryable) throw error;
      }
    }
  }

  #transport(): StreamTransport {
    const { network, stream, random, isHostile } = this.#options;
    return {
      putRecords: (records, signal) =>
        named(
          network.call(
            OWNER,
            'PutRecords',
            async () =>
              records.map(({ partitionKey, data, explicitHashKey }): TransportAnswer => {
                if (isHostile() && random.chance(0.1)) {
                  return { status: 'rejected', errorCode: 'InternalFailure', message: 'simulated' };
                }
                const put = stream.put(partitionKey, data, explicitHashKey);
                this.#accept(put);
                const { shardId } = put.shard;
                return { status: 'stored', shardId, sequenceNumber: put.record.sequenceNumber };
              }),
            signal,
          ),
        ),
      listShards: (_nextToken, signal) =>
        named(network.call(OWNER, 'ListShards', async () => ({ shards: stream.listShards() }), signal)),
    };
  }

  #remember(deviceId: DeviceId, identity: string): void {
    const order = this.#putOrder.get(deviceId) ?? [];
    this.#putOrder.set(deviceId, order);
    if (!order.includes(identity)) order.push(identity);
  }

  /** A record has taken its place in the stream. */
  #accept({ shard, record }: { readonly shard: SimShard; readonly record: SimRecord }): void {
    for (const { deviceId, identity } of mendedEventsOf(shard, record)) {
      this.mendable.set(deviceId, (this.mendable.get(deviceId) ?? new Set()).add(identity));
    }
    for (const held of eventsOf(shard, record)) {
      const { deviceId, identity } = held;
      if (isRefusable(held)) {
        this.refusable.set(deviceId, (this.refusable.get(deviceId) ?? new Set()).add(identity));
      }
      const accepted = this.accepted.get(deviceId) ?? new Set();
      const isFirst = !accepted.has(identity);
      this.accepted.set(deviceId, accepted.add(identity));
      const order = this.#putOrder.get(deviceId);
      if (order === undefined || !isFirst) continue;
      const arrived = this.#arrivedCounts.get(deviceId) ?? 0;
      if (order[arrived] !== identity) {
        const detail = `${deviceId}: ${identity} before ${order[arrived]}`;
        this.#options.onViolation(
          new Violation('records of a device arrive in the order of their puts', detail),
        );
      }
      this.#arrivedCounts.set(deviceId, arrived + 1);
    }
  }
}

/** The identity of a counted event or a correction does not depend on its place. */
const NOWHERE = { sequenceNumber: '0' as never, subSequenceNumber: 0 };

/** The transport names its errors. */
async function named<Answer>(call: Promise<Answer>): Promise<Answer> {
  try {
    return await call;
  } catch (error) {
    const isThrottle = error instanceof CodedError && error.code === 'THROTTLED';
    const code = isThrottle ? 'STREAM_THROTTLED' : 'STREAM_UNAVAILABLE';
    throw new CodedError(code, 'simulated', { retryable: true, cause: error });
  }
}

/**
 * True for what the projector may send to quarantine although it is an event: a correction ahead of its device, and what an
 * earlier version of the mapping does not know.
 */
export function isRefusable({ event, isNewFirmware }: HeldEvent): boolean {
  return event.correction?.corrects !== undefined || isNewFirmware;
}
