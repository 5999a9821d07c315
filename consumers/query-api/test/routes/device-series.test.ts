import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestApi, testApi } from '../test-api.ts';

let api: TestApi;
beforeEach(() => {
  api = testApi();
});
afterEach(() => api.close());

const START = '2026-11-02T08:00:00.000Z';
const at = (minutes: number) => new Date(Date.parse(START) + minutes * 60_000).toISOString();
const ask = (query: string) => api.ask(`/v1/devices/bus-1/series?attribute=load&from=${START}&${query}`);
const valuesOf = (body: { buckets: { time: string; value: number }[] }) =>
  body.buckets.map(({ time, value }) => [time, value]);

/** Loads 1, 2, … one each half minute, but for a pause from minute 2 to 4. */
async function report() {
  for (let half = 0; half < 12; half += 1) {
    if (half < 4 || half >= 8) await api.say('bus-1', { counter: half + 1, data: { load: half + 1 } });
    await api.clock.advance(30_000);
  }
}

describe('GET /v1/devices/{deviceId}/series', () => {
  test('puts the numbers of an attribute into buckets, and lists the gaps', async () => {
    await report();
    const { status, body } = await ask('interval=1m');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      deviceId: 'bus-1',
      attribute: 'load',
      aggregate: 'average',
      basis: 'arrival',
      from: START,
      to: at(6),
      intervalMs: 60_000,
      isComplete: true,
    });
    expect(body.buckets).toEqual([
      { time: at(0), value: 1.5, count: 2 },
      { time: at(1), value: 3.5, count: 2 },
      { time: at(4), value: 9.5, count: 2 },
      { time: at(5), value: 11.5, count: 2 },
    ]);
    expect(body.gaps).toEqual([{ from: at(2), to: at(4) }]);
  });

  test.each([
    ['min', 1],
    ['max', 4],
    ['sum', 10],
    ['count', 4],
    ['first', 1],
    ['last', 4],
    ['average', 2.5],
  ])('aggregates by %s', async (aggregate, expected) => {
    await report();
    const { body } = await ask(`interval=2m&to=${at(2)}&aggregate=${aggregate}`);
    expect(valuesOf(body)).toEqual([[at(0), expected]]);
  });

  test('goes by either axis of time', async () => {
    await api.clock.advance(600_000);
    await api.say('bus-1', { counter: 1, data: { load: 7 }, time: at(3) });
    expect(valuesOf((await ask('interval=1m')).body)).toEqual([]);
    await api.clock.advance(1_000);
    expect(valuesOf((await ask('interval=1m')).body)).toEqual([[at(10), 7]]);
    expect(valuesOf((await ask('interval=1m&basis=event-time')).body)).toEqual([[at(3), 7]]);
  });

  test('is as the history stands now: a correction takes the place of what it corrects', async () => {
    await report();
    const correction = {
      correctionId: 'fix-1',
      reason: 'r',
      actor: 'a',
      corrects: { session: 1, counter: 2 },
    };
    await api.say('bus-1', { data: { load: 100 }, correction });
    await api.say('bus-1', {
      data: { load: null },
      correction: { ...correction, correctionId: 'fix-2', corrects: { session: 1, counter: 3 } },
    });
    const { body } = await ask(`interval=1m&to=${at(2)}&aggregate=max`);
    expect(valuesOf(body)).toEqual([
      [at(0), 100],
      [at(1), 4],
    ]);
  });

  test('leaves out what is not a number, and attributes that every object has', async () => {
    await api.say('bus-1', { counter: 1, data: { load: 'full' } });
    await api.clock.advance(1_000);
    expect((await ask('interval=1m')).body).toMatchObject({
      buckets: [],
      gaps: [{ from: START, to: '2026-11-02T08:00:01.000Z' }],
    });
    const { body } = await api.ask(`/v1/devices/bus-1/series?attribute=constructor&from=${START}`);
    expect(body.buckets).toEqual([]);
  });

  test.each([
    ['interval=1x', 'interval'],
    [`interval=1s&to=${at(20)}`, 'interval'],
    [`to=${START}`, 'to'],
    ['aggregate=median', 'aggregate'],
  ])('refuses %s', async (query, parameter) => {
    await api.say('bus-1', { counter: 1 });
    await api.clock.advance(1_000);
    const { status, body } = await ask(query);
    expect([status, body.parameter]).toEqual([400, parameter]);
  });

  test('does not know a device of which nothing is stored', async () => {
    await api.clock.advance(1_000);
    const { status, body } = await api.ask(`/v1/devices/none/series?attribute=load&from=${START}`);
    expect([status, body.code]).toEqual([404, 'DEVICE_NOT_FOUND']);
  });
});
