import { type DeviceEvent, type DeviceId, deviceId, type JsonObject } from '@twinstream/device-model';
import { seededRandom } from '@twinstream/test-kit';
import type { MemoryPipeline } from './memory-pipeline.ts';

const SITES = ['austin-north', 'austin-south', 'round-rock', 'pflugerville', 'cedar-park'];
const TYPES = ['bus', 'tram', 'sensor', 'gate'];
const FIRMWARE = ['2.4.1', '2.5.0', '3.0.0-rc.2'];

const MINUTE_MS = 60_000;

interface Vehicle {
  readonly deviceId: DeviceId;
  readonly type: string;
  /** False for devices that do not count their events. */
  readonly counts: boolean;
  session: number;
  counter: number;
  speedMph: number;
  batteryPercent: number;
  temperatureC: number;
  latitude: number;
  longitude: number;
  connected: boolean;
  /** Counters that were skipped, to come late. */
  readonly skipped: DeviceEvent[];
}

export interface MovingFleetOptions {
  readonly pipeline: MemoryPipeline;
  readonly deviceCount: number;
  readonly seed?: number;
  /** Events of each device that lie in the past when the fleet is there. */
  readonly historyEvents?: number;
  /** Stretch over which that history lies, in milliseconds. */
  readonly historyMs?: number;
  readonly now: () => number;
}

/** A simulated fleet that moves. */
export interface MovingFleet {
  /** Lets one device say something, now. */
  step(): Promise<DeviceId>;
}

/**
 * Fills the pipeline with a fleet and its past. Some devices are silent for long, some skip counters, some send late,
 * twice, or without counting; some were corrected: whatever a page has to show is there.
 */
export async function startMovingFleet(options: MovingFleetOptions): Promise<MovingFleet> {
  const { pipeline, deviceCount, seed = 1, historyEvents = 20, historyMs = 2 * 3_600_000, now } = options;
  const random = seededRandom(seed).next;
  const vehicles = Array.from({ length: deviceCount }, (_, index) => vehicle(index, random));
  const silent = new Set(vehicles.filter((_, index) => index % 17 === 3));
  const startTime = now() - historyMs;
  for (let round = 0; round < historyEvents; round += 1) {
    for (const one of vehicles) {
      // What a silent device lost before its last words stays missing.
      if (silent.has(one) && round === historyEvents - 1) one.counter += 1;
      // Silent devices stop somewhere in the past: some a few minutes ago (stale), some long before (offline).
      const reach = silent.has(one) ? 0.5 + 0.48 * random() : 1;
      const time = startTime + ((round + random()) / historyEvents) * historyMs * reach;
      await speak(pipeline, one, Math.floor(Math.min(time, now())), random, round === 0);
    }
  }
  const speaking = vehicles.filter((one) => !silent.has(one));
  return {
    step: async () => {
      const one = speaking[Math.floor(random() * speaking.length)] ?? vehicles[0];
      if (one === undefined) throw new Error('the fleet has no device');
      await speak(pipeline, one, now(), random, false);
      return one.deviceId;
    },
  };
}

/** Records that no projector reads, of some devices of the fleet: with a word missing, of old firmware, and noise. */
export async function putDeadLetters(pipeline: MemoryPipeline, nowMs: number): Promise<void> {
  const time = new Date(nowMs - MINUTE_MS).toISOString();
  const event = { v: 1, deviceId: 'bus-0000', type: 'reported', time, data: { speedMph: 31 } };
  const texts: readonly (readonly [string, string])[] = [
    ['bus-0000', JSON.stringify({ ...event, v: 9 })],
    ['bus-0004', JSON.stringify({ ...event, deviceId: undefined, id: 'bus-0004' })],
    ['bus-0008', JSON.stringify(event).slice(0, -20)],
    ['tram-0001', JSON.stringify({ ...event, deviceId: 'tram-0001', time: 'yesterday' })],
  ];
  for (const [index, [key, text]] of texts.entries())
    await pipeline.reject(Buffer.from(text), key, nowMs - (texts.length - index) * MINUTE_MS);
  await pipeline.reject(Buffer.from([0, 255, 243, 10, 34, 200, 1]), 'gate-0003', nowMs - MINUTE_MS);
}

function vehicle(index: number, random: () => number): Vehicle {
  const type = TYPES[index % TYPES.length] ?? 'bus';
  return {
    deviceId: deviceId(index % 23 === 5 ? `${type}:${index}` : `${type}-${String(index).padStart(4, '0')}`),
    type,
    counts: index % 29 !== 7,
    session: 1 + Math.floor(random() * 3),
    counter: 0,
    speedMph: 20 * random(),
    batteryPercent: 40 + 60 * random(),
    temperatureC: 15 + 20 * random(),
    latitude: 30.2 + 0.3 * random(),
    longitude: -97.9 + 0.3 * random(),
    connected: false,
    skipped: [],
  };
}

async function speak(
  pipeline: MemoryPipeline,
  one: Vehicle,
  timeMs: number,
  random: () => number,
  first: boolean,
): Promise<void> {
  const draw = random();
  if (!first && draw < 0.2 && one.skipped.length > 0) {
    const late = one.skipped.shift();
    if (late !== undefined) await pipeline.put(late, timeMs);
    return;
  }
  if (!first && draw > 0.997 && one.counts) {
    await pipeline.put(correction(one, timeMs), timeMs);
    return;
  }
  const event = nextEvent(one, timeMs, random, first);
  if (!first && draw > 0.2 && draw < 0.202 && one.counts) {
    one.skipped.push(event);
    await pipeline.put(nextEvent(one, timeMs + 1, random, false), timeMs);
    return;
  }
  await pipeline.put(event, timeMs);
  if (draw > 0.98 && one.counts) await pipeline.put(event, timeMs);
}

function nextEvent(one: Vehicle, timeMs: number, random: () => number, first: boolean): DeviceEvent {
  one.counter += 1;
  const identity = { session: one.session, counter: one.counter };
  const base = {
    v: 1,
    deviceId: one.deviceId,
    time: new Date(timeMs).toISOString(),
    ...(one.counts ? { identity } : {}),
  } as const;
  if (first) {
    one.connected = true;
    const site = SITES[Math.floor(random() * SITES.length)] ?? 'austin-north';
    const firmware = FIRMWARE[Math.floor(random() * FIRMWARE.length)] ?? '2.4.1';
    return { ...base, type: 'connected', data: { site, type: one.type, firmware, ...reading(one, random) } };
  }
  if (random() < (one.connected ? 0.003 : 0.2)) {
    one.connected = !one.connected;
    return { ...base, type: one.connected ? 'connected' : 'disconnected', data: {} };
  }
  return { ...base, type: 'reported', data: reading(one, random) };
}

function reading(one: Vehicle, random: () => number): JsonObject {
  const drift = (value: number, by: number, low: number, high: number) =>
    Math.min(high, Math.max(low, value + (random() - 0.5) * by));
  one.speedMph = drift(one.speedMph, 8, 0, 60);
  one.batteryPercent = drift(one.batteryPercent, 1, 0, 100);
  one.temperatureC = drift(one.temperatureC, 0.6, -10, 55);
  one.latitude = drift(one.latitude, 0.002, 30.1, 30.6);
  one.longitude = drift(one.longitude, 0.002, -98, -97.5);
  const round = (value: number, digits: number) => Number(value.toFixed(digits));
  return {
    speedMph: round(one.speedMph, 1),
    batteryPercent: round(one.batteryPercent, 1),
    position: { latitude: round(one.latitude, 5), longitude: round(one.longitude, 5) },
    ...(random() < 0.5 ? { temperatureC: round(one.temperatureC, 2) } : {}),
    ...(random() < 0.2 ? { doorOpen: random() < 0.5 } : {}),
    ...(random() < 0.1 ? { alert: random() < 0.5 ? 'brake pressure low' : null } : {}),
  };
}

function correction(one: Vehicle, timeMs: number): DeviceEvent {
  return {
    v: 1,
    deviceId: one.deviceId,
    type: 'corrected',
    time: new Date(timeMs).toISOString(),
    data: { speedMph: 0 },
    correction: {
      correctionId: `fix-${one.deviceId}-${one.counter}-${timeMs}`,
      reason: 'the wheel sensor was replaced',
      actor: 'maintenance',
      corrects: { session: one.session, counter: one.counter },
    },
  };
}
