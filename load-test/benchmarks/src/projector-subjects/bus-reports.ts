import type { KinesisLambdaEvent } from '@twinstream/stream-model';
import { lambdaBatch } from '@twinstream/stream-model/testing';
import { seededRandom } from '@twinstream/test-kit';

/** Reports of a fleet of buses, 171 bytes each on average with the line end, as its vehicles send them. */
export interface BusFleet {
  /** The next batch of one shard: that many reports of each of that many devices, which take turns, from `firstDevice` on. */
  nextBatch(devices: number, eventsPerDevice: number, firstDevice?: number): KinesisLambdaEvent;
  /** Events of all batches so far. */
  readonly eventCount: number;
  /** Mean bytes of an event. */
  readonly eventBytes: number;
}

/*
 * The two records of the example event in "Using Lambda to process records from Amazon Kinesis Data Streams" are
 * one minute apart, and their numbers 2,121 times 2^80 and a smaller part: numbers of a shard rise so.
 */
const FIRST_SEQUENCE_NUMBER = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n;
const SEQUENCE_STEP = 2n ** 80n;
const SEQUENCE_STEPS_MAX = 60;
const FIRST_ARRIVAL_TIME = 1_790_000_000_000;
const SESSION = 3;

interface Bus {
  counter: number;
  readonly routeId: string;
  latitude: number;
  longitude: number;
}

/**
 * A fleet whose batches are the same whenever they are asked for in the same order. The first report of each device has
 * what stays the same of it, too, unless the device is to have sent `eventsBefore` already.
 */
export function busFleet(seed = 1, eventsBefore = 0): BusFleet {
  const random = seededRandom(seed).next;
  const buses = new Map<number, Bus>();
  let sequenceNumber = FIRST_SEQUENCE_NUMBER;
  let arrivalTime = FIRST_ARRIVAL_TIME;
  let eventCount = 0;
  let bytes = 0;
  const eventOf = (index: number): string => {
    const bus = busAt(buses, index, random, eventsBefore);
    bus.counter += 1;
    bus.latitude += (random() - 0.5) / 200;
    bus.longitude += (random() - 0.5) / 200;
    const data = {
      speedMph: Number((random() * 45).toFixed(1)),
      routeId: bus.routeId,
      lat: Number(bus.latitude.toFixed(4)),
      lon: Number(bus.longitude.toFixed(4)),
      ...(bus.counter === 1
        ? { type: 'bus', site: 'austin-north', firmware: '4.1.7', doorsOpen: false }
        : {}),
    };
    const time = new Date(arrivalTime - Math.floor(random() * 900)).toISOString();
    const identity = { session: SESSION, counter: 1_000 + bus.counter };
    return JSON.stringify({ v: 1, deviceId: `bus-${index}`, type: 'reported', time, ...identity, data });
  };
  return {
    nextBatch: (devices, eventsPerDevice, firstDevice = 0) => {
      const records = [];
      for (let turn = 0; turn < eventsPerDevice; turn += 1) {
        for (let index = firstDevice; index < firstDevice + devices; index += 1) {
          sequenceNumber += SEQUENCE_STEP * BigInt(1 + Math.floor(random() * SEQUENCE_STEPS_MAX));
          arrivalTime += random() < 0.05 ? 1 : 0;
          const data = `${eventOf(index)}\n`;
          bytes += data.length;
          records.push({
            sequenceNumber: String(sequenceNumber + BigInt(arrivalTime - FIRST_ARRIVAL_TIME) * 65_536n),
            partitionKey: `bus-${index}`,
            data,
            arrivalTime,
          });
        }
      }
      eventCount += records.length;
      return lambdaBatch({ records });
    },
    get eventCount() {
      return eventCount;
    },
    get eventBytes() {
      return eventCount === 0 ? 0 : bytes / eventCount;
    },
  };
}

function busAt(buses: Map<number, Bus>, index: number, random: () => number, counter: number): Bus {
  const existing = buses.get(index);
  if (existing !== undefined) return existing;
  const bus = {
    counter,
    routeId: String(1 + Math.floor(random() * 40)),
    latitude: 30.2 + random() / 5,
    longitude: -97.8 + random() / 5,
  };
  buses.set(index, bus);
  return bus;
}
