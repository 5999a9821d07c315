import { type DeviceEvent, decodeEvent, encodeEvent } from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';
import { createFleet, type FleetEvent, type FleetSettings } from '../../src/fleet/fleet.ts';
import { DEFAULT_KIND_MIX } from '../../src/fleet/kind-mix.ts';

const START = Date.parse('2026-01-01T00:00:00.000Z');
const HOUR_MS = 3_600_000;

const quiet: FleetSettings = {
  deviceCount: 100,
  kinds: DEFAULT_KIND_MIX,
  skew: { kind: 'even' },
  seed: 42,
  startTimeMs: START,
  session: 1_000,
  outageEveryMs: Number.POSITIVE_INFINITY,
  outageLastsMs: 60_000,
  rebootEveryMs: Number.POSITIVE_INFINITY,
  firmwareEveryMs: Number.POSITIVE_INFINITY,
  clockSkewShare: 0,
};
const restless: FleetSettings = {
  ...quiet,
  outageEveryMs: HOUR_MS,
  outageLastsMs: 5 * 60_000,
  rebootEveryMs: 2 * HOUR_MS,
  firmwareEveryMs: 4 * HOUR_MS,
};

/** `count` events of a fleet, one every `everyMs`. */
function eventsOf(settings: FleetSettings, count: number, everyMs = 100): readonly FleetEvent[] {
  const fleet = createFleet(settings);
  return Array.from({ length: count }, (_, index) => fleet.next(index * everyMs));
}

const byDevice = (events: readonly FleetEvent[]): readonly (readonly DeviceEvent[])[] => [
  ...Map.groupBy(
    events.map(({ event }) => event),
    ({ deviceId }) => deviceId,
  ).values(),
];

describe('a fleet', () => {
  test('says the same for the same seed, byte for byte', () => {
    const first = JSON.stringify(eventsOf(restless, 50_000));
    expect(JSON.stringify(eventsOf(restless, 50_000))).toBe(first);
    expect(JSON.stringify(eventsOf({ ...restless, seed: 43 }, 50_000))).not.toBe(first);
  });

  test('says the same under other names where its devices have a prefix', () => {
    const [plain, named] = [eventsOf(restless, 500), eventsOf({ ...restless, devicePrefix: 'run-7-' }, 500)];
    const renamed = plain.map(({ event, clockSkewMs }) => ({
      event: { ...event, deviceId: `run-7-${event.deviceId}` },
      clockSkewMs,
    }));
    expect(named).toEqual(renamed);
  });

  test('has devices that keep their names over seeds', () => {
    const names = (seed: number) =>
      new Set(eventsOf({ ...quiet, seed }, 100).map(({ event }) => event.deviceId));
    expect(names(1)).toEqual(names(2));
    expect([...names(1)].sort()[0]).toMatch(/^door-sensor-\d{6}$/);
  });

  test('lets every device connect first, with its site, type and firmware, and then report', () => {
    const devices = byDevice(eventsOf(quiet, 1_000));
    expect(devices).toHaveLength(100);
    for (const events of devices) {
      expect(events.map(({ type }) => type)).toEqual(['connected', ...new Array(9).fill('reported')]);
      const [connected] = events;
      expect(Object.keys(connected?.data ?? {})).toEqual(['site', 'type', 'firmware']);
      expect(connected?.deviceId.startsWith(`${connected.data.type}-`)).toBe(true);
    }
  });

  test('says only what decoders take', () => {
    for (const { event } of eventsOf({ ...restless, clockSkewShare: 0.5 }, 5_000, 10_000)) {
      expect(decodeEvent(encodeEvent(event))).toMatchObject({ event });
    }
  });

  test('counts from 1 in each session, without a gap, and never goes back to an older session', () => {
    let reboots = 0;
    for (const events of byDevice(eventsOf(restless, 50_000, 2_000))) {
      let session = restless.session - 1;
      let counter = 0;
      for (const { identity, type } of events) {
        if (identity?.session !== session) {
          expect(identity?.session).toBe(session + 1);
          expect(type).toBe('connected');
          session += 1;
          counter = 0;
          reboots += 1;
        }
        counter += 1;
        expect(identity?.counter).toBe(counter);
      }
    }
    expect(reboots).toBeGreaterThan(500);
  });

  test('carries the time of the schedule', () => {
    const fleet = createFleet(quiet);
    expect(fleet.next(0).event.time).toBe('2026-01-01T00:00:00.000Z');
    expect(fleet.next(61_234.4).event.time).toBe('2026-01-01T00:01:01.234Z');
  });

  test('always has a device to speak for, though a tenth of them may be away', () => {
    const events = eventsOf({ ...restless, outageEveryMs: 60_000, outageLastsMs: HOUR_MS }, 100_000, 100);
    const heard = new Map<string, number>();
    let longest = 0;
    for (const { event } of events) {
      const atMs = Date.parse(event.time);
      longest = Math.max(longest, atMs - (heard.get(event.deviceId) ?? atMs));
      heard.set(event.deviceId, atMs);
    }
    expect(events).toHaveLength(100_000);
    expect(longest).toBeGreaterThan(20 * 60_000);
    const last = events.slice(-90).map(({ event }) => event.deviceId);
    expect(new Set(last).size).toBe(90);
  });

  test('announces about half of its outages', () => {
    const events = eventsOf({ ...quiet, outageEveryMs: HOUR_MS }, 50_000, 4_000);
    const said = events.filter(({ event }) => event.type === 'disconnected').length;
    const returns = events.filter(({ event }) => event.type === 'connected').length - 100;
    expect(returns).toBeGreaterThan(500);
    expect(said / returns).toBeGreaterThan(0.4);
    expect(said / returns).toBeLessThan(0.6);
  });

  test('moves firmware forward only, each time through a reboot', () => {
    let updates = 0;
    for (const events of byDevice(eventsOf(restless, 50_000, 2_000))) {
      const versions = events
        .filter(({ type }) => type === 'connected')
        .map(({ data }) => String(data.firmware));
      const distinct = new Set(versions).size;
      updates += distinct - 1;
      expect(versions).toEqual(versions.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })));
    }
    expect(updates).toBeGreaterThan(50);
  });

  test('has as many wrong clocks as was asked for, each off by the same all the time', () => {
    const events = eventsOf({ ...quiet, deviceCount: 2_000, clockSkewShare: 0.1 }, 6_000);
    const skews = Map.groupBy(events, ({ event }) => event.deviceId);
    const wrong = [...skews.values()].filter(([first]) => first?.clockSkewMs !== 0);
    expect(wrong.length / 2_000).toBeGreaterThan(0.07);
    expect(wrong.length / 2_000).toBeLessThan(0.13);
    for (const said of wrong) {
      const [first] = said;
      expect(Math.abs(first?.clockSkewMs ?? 0)).toBeGreaterThanOrEqual(1_000);
      expect(Math.abs(first?.clockSkewMs ?? 0)).toBeLessThanOrEqual(86_400_000);
      expect(new Set(said.map(({ clockSkewMs }) => clockSkewMs)).size).toBe(1);
    }
  });

  test('of one device works, and so does one in which a single device says nearly everything', () => {
    const lonely = eventsOf({ ...restless, deviceCount: 1 }, 1_000);
    expect(new Set(lonely.map(({ event }) => event.deviceId)).size).toBe(1);
    const hot = { ...restless, skew: { kind: 'zipf', exponent: 10 }, outageEveryMs: 1_000 } as const;
    expect(eventsOf(hot, 10_000)).toHaveLength(10_000);
  });
});
