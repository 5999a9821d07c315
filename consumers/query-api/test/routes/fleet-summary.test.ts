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
