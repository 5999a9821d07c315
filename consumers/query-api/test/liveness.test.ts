import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_LIVENESS_POLICY, livenessAt } from '../src/liveness.ts';
import { type TestApi, testApi } from './test-api.ts';

const MINUTE_MS = 60_000;
const NOW = 100 * MINUTE_MS;
const heard = (lastArrivalTime: number | undefined, hasLeft = false) => ({
  type: undefined,
  lastArrivalTime,
  hasLeft,
});

describe('liveness', () => {
  test.each([
    ['heard lately', 1, 0, 'online'],
    ['silent, and everything is processed', 3, 0, 'stale'],
    ['silent, and the pipeline lags no more than usual', 3, 5_000, 'stale'],
    ['silent by the clock, while its events may wait', 3, 3 * MINUTE_MS, 'unknown'],
    ['silent for long by the clock, while its events may wait', 20, 20 * MINUTE_MS, 'unknown'],
    ['silent for too long before what waits', 6, 3 * MINUTE_MS, 'stale'],
    ['heard lately, though the pipeline lags', 1, 3 * MINUTE_MS, 'online'],
  ])('of a device that is %s', (_what, silentMinutes, lagMs, expected) => {
    const device = heard(NOW - silentMinutes * MINUTE_MS);
    expect(livenessAt(DEFAULT_LIVENESS_POLICY, device, NOW, NOW - lagMs)).toBe(expected);
  });

  test('goes by the clock where nobody knows how far the pipeline is', () => {
    expect(livenessAt(DEFAULT_LIVENESS_POLICY, heard(NOW - 3 * MINUTE_MS), NOW, undefined)).toBe('stale');
  });

  test('of a device that said that it leaves, or was never heard itself, is offline', () => {
    expect(livenessAt(DEFAULT_LIVENESS_POLICY, heard(NOW, true), NOW, NOW)).toBe('offline');
    expect(livenessAt(DEFAULT_LIVENESS_POLICY, heard(undefined), NOW, NOW)).toBe('offline');
  });
});

describe('a pipeline that lags by three minutes', () => {
  let api: TestApi;
  beforeEach(() => {
    api = testApi();
  });
  afterEach(() => api.close());

  /** Two devices report every half minute for five minutes. */
  async function report(counter: number) {
    for (let round = 0; round < 10; round += 1) {
      for (const device of ['bus-1', 'bus-2']) await api.say(device, { counter: counter + round });
      await api.clock.advance(30_000);
    }
  }
  const liveness = async () => {
    const { body } = await api.ask('/v1/devices?fields=liveness,troubles');
    const one = await api.ask('/v1/devices/bus-1?fields=liveness,troubles,processedTime');
    return [...body.devices, one.body].map((device: { liveness: string }) => device.liveness);
  };

  test('has no device called stale, in lists, counts and answers of one device', async () => {
    await report(1);
    const release = api.pipeline.hold();
    await report(11);
    expect(await liveness()).toEqual(['unknown', 'unknown', 'unknown']);
    const { body } = await api.ask('/v1/fleet/summary');
    expect(body.byLiveness).toEqual({ online: 0, unknown: 2, stale: 0, offline: 0 });
    expect(body.lagMs).toBeGreaterThan(4 * MINUTE_MS);
    expect(body.inTrouble).toBe(0);
    await release();
    await api.clock.advance(3_000);
    expect(await liveness()).toEqual(['online', 'online', 'online']);
  });

  test('still tells of a device that fell silent before what waits', async () => {
    await api.say('tram-1', { counter: 1 });
    await report(1);
    const release = api.pipeline.hold();
    await report(11);
    const { body } = await api.ask('/v1/devices/tram-1');
    expect(body.liveness).toBe('stale');
    await release();
  });

  test('tells a client that comes back of devices that were unknown when it left', async () => {
    await report(1);
    // Of so many, some are in the shards of the buses.
    for (let tram = 0; tram < 20; tram += 1) await api.say(`tram-${tram}`, { counter: 1 });
    const release = api.pipeline.hold();
    await report(11);
    const { body } = await api.ask('/v1/devices?fields=liveness&q=tram&liveness=unknown');
    const tramId = body.devices[0].deviceId;
    await release();
    await api.clock.advance(3_000);
    const stream = await api.services.fleet.current();
    const tram = stream.find(tramId);
    const [sinceMs] = JSON.parse(Buffer.from(body.lastEventId, 'base64url').toString());
    // Nothing came from it, and it is stale by now, as it would have been then without the lag.
    expect(tram && stream.livenessAt(tram, sinceMs)).toBe('stale');
    expect([...stream.changedSince({ timeMs: sinceMs, seen: stream.resumePoint.seen })]).toContain(tramId);
  });
});
