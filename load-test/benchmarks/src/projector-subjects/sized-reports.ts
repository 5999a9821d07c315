import { type DeviceEvent, deviceId, eventText, type JsonObject } from '@twinstream/device-model';
import { createFleet, type Fleet, KIND_NAMES } from '@twinstream/device-simulator';
import type { KinesisLambdaEvent } from '@twinstream/stream-model';
import { lambdaBatch } from '@twinstream/stream-model/testing';
import { seededRandom } from '@twinstream/test-kit';

/** Reports of simulated devices, of about a size that is asked for. */
export interface SizedFleet {
  /** The next batch of one shard: so many reports of each device, evenly over `windowMs`. */
  nextBatch(eventsOfDevices: readonly number[], windowMs: number): KinesisLambdaEvent;
  /** Events of all batches so far. */
  readonly eventCount: number;
  /** Bytes of all of them, line ends included. */
  readonly byteCount: number;
}

/** What each device reports, one after the other, until its report has its size. */
interface SizedDevice {
  readonly parts: readonly Fleet[];
  readonly names: Set<string>;
}

const FIRST_SEQUENCE_NUMBER = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n;
/**
 * The numbers of the two records of the example event in "Using Lambda to process records from Amazon Kinesis Data Streams", a minute
 * apart, differ by 0x849 × 2^80 + 59 × 2^36: a count that rises with the shard's records, and seconds. So they do here.
 */
const COUNTS_A_MS = 0x849 / 60_000;
const COUNT_STEP = 2n ** 80n;
const SECOND_STEP = 2n ** 36n;
const FIRST_ARRIVAL_TIME = 1_790_000_000_000;
/** From a device to the stream, and how much a device is late or early. */
const NETWORK_MS = 100;
const JITTER_MS = 50;
/** Attributes of the kinds are some 15 bytes each: enough for reports of 1,000 bytes and more. */
const PARTS_MAX = 40;

/**
 * Devices whose reports carry the readings of as many simulated devices as fill `eventBytes`: numbers that wander, counters,
 * switches. A report is as large as asked for up to one reading; the frame of an event alone takes some 125 bytes.
 */
export function sizedFleet({
  eventBytes,
  seed = 1,
  kinds = KIND_NAMES,
}: {
  readonly eventBytes: number;
  readonly seed?: number;
  readonly kinds?: readonly string[];
}): SizedFleet {
  const devices = new Map<number, SizedDevice>();
  const random = seededRandom(seed).next;
  let [startMs, eventCount, byteCount, countedMs] = [0, 0, 0, 0];
  let sequence = FIRST_SEQUENCE_NUMBER;
  const sequenceNumberAt = (arrivalMs: number): string => {
    const counts = 1 + Math.floor(2 * random() * (arrivalMs - countedMs) * COUNTS_A_MS);
    const seconds = Math.floor(arrivalMs / 1_000) - Math.floor(countedMs / 1_000);
    sequence += BigInt(counts) * COUNT_STEP + BigInt(seconds) * SECOND_STEP;
    countedMs = arrivalMs;
    return String(sequence);
  };
  const deviceAt = (index: number): SizedDevice => {
    const known = devices.get(index);
    if (known !== undefined) return known;
    const parts = Array.from({ length: PARTS_MAX }, (_, part) =>
      partOf(kinds[(index + part) % kinds.length] ?? '', seed * 100_003 + index * PARTS_MAX + part),
    );
    const device = { parts, names: new Set<string>() };
    devices.set(index, device);
    return device;
  };
  return {
    nextBatch: (eventsOfDevices, windowMs) => {
      const planned = eventsOfDevices.flatMap((events, index) =>
        Array.from({ length: events }, (_, turn) => {
          const dueMs = startMs + JITTER_MS + ((turn + index / eventsOfDevices.length) * windowMs) / events;
          const offsetMs = Math.round(dueMs + random() * JITTER_MS);
          return { index, offsetMs, arrivalMs: offsetMs + Math.ceil(random() * NETWORK_MS) };
        }),
      );
      startMs += windowMs + JITTER_MS + NETWORK_MS;
      const batch = planned
        .sort((a, b) => a.arrivalMs - b.arrivalMs)
        .map(({ index, offsetMs, arrivalMs }) => {
          const event = reportOf(deviceAt(index), index, offsetMs, eventBytes);
          const data = `${eventText(event)}\n`;
          byteCount += data.length;
          return {
            sequenceNumber: sequenceNumberAt(arrivalMs),
            partitionKey: event.deviceId,
            data,
            arrivalTime: FIRST_ARRIVAL_TIME + arrivalMs,
          };
        });
      eventCount += batch.length;
      return lambdaBatch({ records: batch });
    },
    get eventCount() {
      return eventCount;
    },
    get byteCount() {
      return byteCount;
    },
  };
}

function partOf(kind: string, seed: number): Fleet {
  return createFleet({
    deviceCount: 1,
    kinds: { [kind]: 1 },
    skew: { kind: 'even' },
    seed,
    startTimeMs: FIRST_ARRIVAL_TIME,
    session: 3,
    outageEveryMs: Number.POSITIVE_INFINITY,
    outageLastsMs: 1,
    rebootEveryMs: Number.POSITIVE_INFINITY,
    firmwareEveryMs: Number.POSITIVE_INFINITY,
    clockSkewShare: 0,
  });
}

/** The first report says which attributes the device has; later ones carry the same. */
function reportOf(
  { parts, names }: SizedDevice,
  index: number,
  offsetMs: number,
  eventBytes: number,
): DeviceEvent {
  const readings = parts.map((part) => part.next(offsetMs).event);
  const [first] = readings;
  if (first === undefined) throw new RangeError('a device has parts');
  const own = {
    ...first,
    deviceId: deviceId(`${first.deviceId.replace(/\d+$/, '')}${String(index + 1).padStart(6, '0')}`),
  };
  if (first.type !== 'reported') return own;
  const all: JsonObject = Object.assign(
    {},
    ...readings.map(({ data }, part) =>
      Object.fromEntries(
        Object.entries(data).map(([name, value]) => [part === 0 ? name : `${name}${part + 1}`, value]),
      ),
    ),
  );
  if (names.size === 0) chooseNames(names, own, all, eventBytes);
  return { ...own, data: Object.fromEntries([...names].map((name) => [name, all[name] ?? null])) };
}

function chooseNames(names: Set<string>, own: DeviceEvent, all: JsonObject, eventBytes: number): void {
  let data: JsonObject = {};
  for (const [name, value] of Object.entries(all)) {
    const more = { ...data, [name]: value };
    if (names.size > 0 && eventText({ ...own, data: more }).length + 1 > eventBytes) return;
    data = more;
    names.add(name);
  }
}
