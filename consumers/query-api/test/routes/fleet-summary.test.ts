import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestApi, testApi } from '../test-api.ts';

const MINUTE_MS = 60_000;
let api: TestApi;

afterEach(() => api.close());

describe('GET /v1/fleet/summary', () => {
  beforeEach(() => {
    api = testApi({
      liveness: {
        default: { staleAfterMs: 2 * MINUTE_MS, offlineAfterMs: 15 * MINUTE_MS },
        byType: new Map([['gate', { staleAfterMs: 60 * MINUTE_MS, offlineAfterMs: 120 * MINUTE_MS }]]),
      },
    });
  });

  test('counts by what devices said, by what we infer, by label and by trouble', async () => {
    await api.say('gate-1', { type: 'connected', counter: 1, data: { type: 'gate', site: 'north' } });
    await api.say('bus-1', { type: 'connected', counter: 1, data: { type: 'bus', site: 'north' } });
    await api.say('bus-2', { type: 'disconnected', counter: 1, data: { type: 'bus' } });
    await api.clock.advance(30 * MINUTE_MS);
    await api.say('bus-3', { counter: 1 });
    await api.say('bus-3', { counter: 3 });
    await api.clock.advance(3 * MINUTE_MS);
    const { body } = await api.ask('/v1/fleet/summary');
    expect(body).toMatchObject({
      total: 4,
      byStatus: { connected: 2, disconnected: 1, unknown: 1 },
      byLiveness: { online: 1, stale: 1, offline: 2 },
      inTrouble: 2,
      byTrouble: { silent: 1, gaps: 1 },
      bySite: { values: [{ value: 'north', count: 2 }], other: 0, none: 2 },
      byType: {
        values: [
          { value: 'bus', count: 2 },
          { value: 'gate', count: 1 },
        ],
        other: 0,
        none: 1,
      },
      thresholds: {
        default: { staleAfterMs: 120_000, offlineAfterMs: 900_000 },
        byType: { gate: { staleAfterMs: 3_600_000, offlineAfterMs: 7_200_000 } },
      },
    });
    expect(Date.parse(body.asOf)).toBeGreaterThan(api.clock.now() - 5_000);
  });

  test('counts the devices of a filter', async () => {
    await api.say('bus-1', { counter: 1, data: { type: 'bus' } });
    await api.say('tram-1', { counter: 1, data: { type: 'tram' } });
    expect((await api.ask('/v1/fleet/summary?type=bus')).body.total).toBe(1);
  });

  test('counts label values beyond the hundred most frequent together', async () => {
    for (let site = 0; site < 103; site += 1) await api.say(`d-${site}`, { counter: 1, data: { site } });
    await api.say('d-x', { counter: 1, data: { site: 102 } });
    const { bySite } = (await api.ask('/v1/fleet/summary')).body;
    expect(bySite.values).toHaveLength(100);
    expect(bySite.values[0]).toEqual({ value: '102', count: 2 });
    expect(bySite.other).toBe(3);
  });

  test('has zeros for an empty fleet', async () => {
    expect((await api.ask('/v1/fleet/summary')).body).toMatchObject({
      total: 0,
      byLiveness: { online: 0, stale: 0, offline: 0 },
    });
  });
});

describe('GET /v1/fleet/aggregates', () => {
  beforeEach(() => {
    api = testApi();
  });

  test('tells count, least, greatest and average of an attribute, as a whole and by label', async () => {
    for (const [id, site, load] of [
      ['a', 'n', 4],
      ['b', 'n', 8],
      ['c', 's', 30],
      ['d', 's', 'full'],
    ] as const) {
      await api.say(id, { counter: 1, data: { site, load } });
    }
    await api.say('e', { counter: 1, data: { load: 6 } });
    await api.clock.advance(2_000);
    const { body } = await api.ask('/v1/fleet/aggregates?attribute=load&by=site');
    expect(body).toMatchObject({ attribute: 'load', total: { count: 4, min: 4, max: 30, average: 12 } });
    expect(body.groups).toEqual([
      { value: 'n', count: 2, min: 4, max: 8, average: 6 },
      { value: null, count: 1, min: 6, max: 6, average: 6 },
      { value: 's', count: 1, min: 30, max: 30, average: 30 },
    ]);
    const few = await api.ask('/v1/fleet/aggregates?attribute=load&attr.load=lt:5');
    expect([few.body.total.count, few.body.groups]).toEqual([1, undefined]);
    const none = await api.ask('/v1/fleet/aggregates?attribute=toString');
    expect(none.body.total).toEqual({ count: 0, min: null, max: null, average: null });
  });
});
