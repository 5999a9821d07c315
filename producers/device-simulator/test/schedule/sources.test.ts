import { eventText } from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';
import { createFleet, type FleetSettings } from '../../src/fleet/fleet.ts';
import { DEFAULT_KIND_MIX } from '../../src/fleet/kind-mix.ts';
import { fleetSource, textOf } from '../../src/schedule/fleet-source.ts';
import { limitedSource } from '../../src/schedule/limited-source.ts';
import { primedSource } from '../../src/schedule/primed-source.ts';
import { lineBytes } from '../../src/sending/planned-event.ts';
import { all, listedSource, planned } from '../sending/listed-source.ts';

const fleet: FleetSettings = {
  deviceCount: 50,
  kinds: DEFAULT_KIND_MIX,
  skew: { kind: 'even' },
  seed: 1,
  startTimeMs: 0,
  session: 7,
  outageEveryMs: 60_000,
  outageLastsMs: 10_000,
  rebootEveryMs: 60_000,
  firmwareEveryMs: 60_000,
  clockSkewShare: 0.3,
};

describe('the source of a fleet', () => {
  test('plans what the fleet says, when it is due', async () => {
    const source = fleetSource(createFleet(fleet), { ratePerSecond: 10 }, true);
    const same = createFleet(fleet);
    for (let index = 0; index < 2_000; index += 1) {
      const { event, clockSkewMs } = same.next(index * 100);
      const next = await source.next();
      expect(next).toMatchObject({
        deviceId: event.deviceId,
        type: event.type,
        time: event.time,
        ...event.identity,
        bytes: lineBytes(eventText(event)),
        dueMs: index * 100,
      });
      expect(next?.clockSkewMs ?? 0).toBe(clockSkewMs);
      expect(textOf(event)).toBe(eventText(event));
    }
  });

  test('plans the same events without times to send them at when it is not paced', async () => {
    const paced = fleetSource(createFleet(fleet), { ratePerSecond: 10 }, true);
    const free = fleetSource(createFleet(fleet), { ratePerSecond: 10 }, false);
    for (let index = 0; index < 100; index += 1) {
      expect(await free.next()).toEqual({ ...(await paced.next()), dueMs: undefined });
    }
  });
});

describe.each([false, true])('a limited source, reading asynchronously: %s', (isAsync) => {
  const events = [0, 100, 200, 300].map((dueMs, index) => planned('a', index + 1, { dueMs }));
  const unlimited = { count: undefined, durationMs: undefined, elapsedMs: () => 0 };

  test('gives so many events at most', async () => {
    const source = limitedSource(listedSource(events, isAsync), { ...unlimited, count: 3 });
    expect(await all(source)).toEqual(events.slice(0, 3));
    expect(await source.next()).toBeUndefined();
  });

  test('gives what is due before its end', async () => {
    const source = limitedSource(listedSource(events, isAsync), { ...unlimited, durationMs: 200 });
    expect(await all(source)).toEqual(events.slice(0, 2));
    expect(await source.next()).toBeUndefined();
  });

  test('ends by the clock where nothing is due', async () => {
    let elapsedMs = 0;
    const free = events.map((event) => ({ ...event, dueMs: undefined }));
    const limits = { ...unlimited, durationMs: 100, elapsedMs: () => elapsedMs };
    const source = limitedSource(listedSource(free, isAsync), limits);
    expect(await source.next()).toEqual(free[0]);
    elapsedMs = 100;
    expect(await source.next()).toBeUndefined();
    elapsedMs = 0;
    expect(await source.next()).toBeUndefined();
  });
});

describe('a primed source', () => {
  test('gives the event that was taken, then the others', async () => {
    const events = [planned('a', 1), planned('a', 2)];
    expect(await all(await primedSource(listedSource(events)))).toEqual(events);
    expect(await all(await primedSource(listedSource([])))).toEqual([]);
  });

  test('shows what is wrong with the first event, and closes the source', async () => {
    const broken = listedSource([]);
    const source = { ...broken, next: () => Promise.reject(new Error('broken')) };
    await expect(primedSource(source)).rejects.toThrow('broken');
    expect(broken.isClosed()).toBe(true);
  });
});
