import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type DeviceId,
  type DeviceState,
  deviceId,
  type JsonValue,
  newDevice,
} from '@twinstream/device-model';
import {
  decodeState,
  type LatestStateTable,
  type ShardProgressTable,
  stateItem,
} from '@twinstream/latest-state';
import { type ChangeFeed, coalescedReads, type ShardHints, STATE_BATCH_MAX } from '@twinstream/query-api';
import { type SequenceNumber, sequenceNumber, shardId } from '@twinstream/stream-model';
import { seededRandom } from '@twinstream/test-kit';

/** Devices of a large fleet, each made when it is read: the fleet itself takes 20 bytes a device. */
export interface SimulatedFleet {
  /** A table whose items are parsed from JSON, as those of DynamoDB are. */
  readonly table: Pick<LatestStateTable, 'list' | 'read'>;
  readonly progress: Pick<ShardProgressTable, 'read'>;
  /** Says which devices changed. */
  readonly feed: ChangeFeed;
  /** Changes this number of devices, drawn at random, at this time (milliseconds since 1970). */
  change(count: number, timeMs: number): void;
}

const SHARDS = 4;
const SITES = 200;
const TYPES = ['bus', 'tram', 'sensor', 'gate'];
const FIRMWARE = ['2.4.1', '2.5.0', '3.0.0-rc.2'];
/** Devices were last heard within so long before the start. */
const HISTORY_MS = 3_600_000;
/** Before the digits that tell records apart: 56 digits in all, as AWS gives. */
const SEQUENCE_PREFIX = '49590338271490256608559692538361571095921575';
const DIGITS = 12;

/** @param firstRecord number of the first record: a fleet that goes on where another ended begins behind its records */
export function simulatedFleet(deviceCount: number, startTimeMs: number, firstRecord = 0): SimulatedFleet {
  const versions = new Uint32Array(deviceCount).fill(1);
  const records = new Float64Array(deviceCount);
  const arrivals = new Float64Array(deviceCount);
  const { next: random } = seededRandom(1);
  for (let n = 0; n < deviceCount; n += 1) {
    records[n] = firstRecord + n;
    arrivals[n] = startTimeMs - Math.floor(random() * HISTORY_MS);
  }
  let recordCount = firstRecord + deviceCount;
  const pending = Array.from({ length: SHARDS }, (): ShardHints['records'][number][] => []);
  const readThrough: SequenceNumber[] = Array.from({ length: SHARDS }, () => numberOf(recordCount - 1));

  function stateOf(n: number): DeviceState {
    const version = { session: 1, counter: versions[n] ?? 0, ordinal: 0, revision: 0 };
    const arrivalTime = arrivals[n] ?? 0;
    const shard = shardOf(n);
    const place = { sequenceNumber: numberOf(records[n] ?? 0), subSequenceNumber: 0 };
    const draw = (offset: number, range: number) =>
      ((n * 7_919 + version.counter * 104_729 + offset) % range) / 10;
    const data: Readonly<Record<string, JsonValue>> = {
      site: `site-${n % SITES}`,
      type: TYPES[n % TYPES.length] ?? 'bus',
      firmware: FIRMWARE[n % FIRMWARE.length] ?? '2.4.1',
      speedMph: draw(0, 700),
      batteryPercent: draw(331, 1_001),
      temperatureC: draw(77, 400),
      doorOpen: (n + version.counter) % 5 === 0,
      position: { latitude: 30 + draw(13, 9_973) / 1_000, longitude: -98 + draw(29, 9_967) / 1_000 },
    };
    const state: DeviceState = {
      ...newDevice(idOf(n)),
      page: version.counter,
      arrivalMax: arrivalTime,
      attributes: new Map(Object.entries(data).map(([name, value]) => [name, { value, version }])),
      status: { value: 'connected', version },
      lastEventTime: { value: new Date(arrivalTime - 120).toISOString(), version },
      lastArrivalTime: arrivalTime,
      position: { shardId: shard, ...place },
      marks: new Map([[shard, { ...place, arrivalTime }]]),
      current: { session: 1, counter: version.counter },
      counts: { events: version.counter, duplicates: 0, late: 0, gaps: n % 1_000 === 7 ? 3 : 0 },
    };
    return decodeState(JSON.parse(JSON.stringify(stateItem(state))));
  }

  // As on DynamoDB: in batches, between which requests are answered.
  const { read } = coalescedReads({
    batchMax: STATE_BATCH_MAX,
    readBatch: async (ids) => {
      await nextTurn();
      return new Map(ids.map((id) => [id, stateOf(Number(id.slice(id.indexOf('-') + 1)))]));
    },
  });

  return {
    table: {
      list: async ({ limit, cursor }) => {
        const first = cursor === undefined ? 0 : Number(cursor);
        const last = Math.min(first + limit, deviceCount);
        const devices: DeviceState[] = [];
        // A scan goes by the hash of the key: in no order.
        for (let n = first; n < last; n += 1) devices.push(stateOf(scattered(n, deviceCount)));
        return { devices, ...(last < deviceCount ? { cursor: String(last) } : {}) };
      },
      read,
    },
    progress: {
      read: async () =>
        readThrough.map((_, index) => ({
          shardId: shardName(index),
          finishedThrough: numberOf(recordCount - 1),
          arrivalTime: startTimeMs,
          updatedTime: startTimeMs,
        })),
    },
    feed: {
      restart: (from) => {
        for (const index of readThrough.keys())
          readThrough[index] = from?.get(shardName(index)) ?? readThrough[index] ?? numberOf(0);
      },
      poll: async () =>
        pending.map((records, index) => {
          const from = readThrough[index] ?? numberOf(0);
          return { shardId: shardName(index), from, records: records.splice(0), atTip: true };
        }),
    },
    change: (count, timeMs) => {
      for (let one = 0; one < count; one += 1) {
        const n = Math.floor(random() * deviceCount);
        versions[n] = (versions[n] ?? 0) + 1;
        arrivals[n] = timeMs;
        records[n] = recordCount;
        pending[n % SHARDS]?.push({
          sequenceNumber: numberOf(recordCount),
          arrivalTime: timeMs,
          deviceIds: [idOf(n)],
        });
        recordCount += 1;
      }
    },
  };
}

function idOf(n: number): DeviceId {
  return deviceId(`${TYPES[n % TYPES.length]}-${String(n).padStart(7, '0')}`);
}

function shardName(index: number) {
  return shardId(`shardId-${String(index).padStart(12, '0')}`);
}

function shardOf(n: number) {
  return shardName(n % SHARDS);
}

function numberOf(record: number): SequenceNumber {
  return sequenceNumber(`${SEQUENCE_PREFIX}${String(record).padStart(DIGITS, '0')}`);
}

/** A permutation of the devices: the factor is a prime that divides no fleet of round size. */
function scattered(n: number, deviceCount: number): number {
  return Number((BigInt(n) * 7_368_787n) % BigInt(deviceCount));
}
