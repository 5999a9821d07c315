import { eventText, planPage } from '@twinstream/device-model';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loopbackAccess } from '../../src/access.ts';
import { createApp } from '../../src/app.ts';
import { eventOf, type TestApi, testApi } from '../test-api.ts';

let api: TestApi;

beforeEach(async () => {
  api = testApi();
  // Counters 1, 2, 4, 3 (late), and an uncounted one, ten seconds apart.
  for (const counter of [1, 2, 4, 3, undefined]) {
    await api.say('bus-1', { ...(counter === undefined ? {} : { counter }), data: { n: counter ?? 0 } });
    await api.clock.advance(10_000);
  }
});
afterEach(() => api.close());

const numbers = (body: { events: { data: { n: number } }[] }) => body.events.map(({ data }) => data.n);

async function all(query: string, limit: number) {
  const found: number[] = [];
  let cursor = '';
  for (let page = 0; page < 20; page += 1) {
    const { body } = await api.ask(`/v1/devices/bus-1/events?${query}&limit=${limit}${cursor}`);
    found.push(...numbers(body));
    if (body.cursor === undefined) return found;
    cursor = `&cursor=${body.cursor}`;
  }
  throw new Error('the history does not end');
}

describe('GET /v1/devices/{deviceId}/events', () => {
  test('answers with the event as it was sent, its place and its arrival', async () => {
    const { body } = await api.ask('/v1/devices/bus-1/events?limit=1');
    expect(body.events).toEqual([
      {
        v: 1,
        deviceId: 'bus-1',
        type: 'reported',
        time: '2026-11-02T08:00:00.000Z',
        session: 1,
        counter: 1,
        data: { n: 1 },
        position: {
          shardId: expect.any(String),
          sequenceNumber: expect.stringMatching(/^\d{56}$/),
          subSequenceNumber: 0,
        },
        arrivalTime: '2026-11-02T08:00:00.000Z',
      },
    ]);
  });

  test('marks the event that came late, and that one alone', async () => {
    const { body } = await api.ask('/v1/devices/bus-1/events');
    expect(body.events.map((event: { late?: true }) => event.late)).toEqual([
      undefined,
      undefined,
      undefined,
      true,
      undefined,
    ]);
  });

  test('shows a correction with its reason and its actor', async () => {
    const correction = {
      correctionId: 'c1',
      reason: 'sensor',
      actor: 'ann',
      corrects: { session: 1, counter: 4 },
    };
    await api.say('bus-1', { data: { n: 44 }, correction });
    const { body } = await api.ask('/v1/devices/bus-1/events?order=desc&limit=1');
    expect(body.events[0]).toMatchObject({ type: 'corrected', ...correction, data: { n: 44 } });
  });

  test.each([1, 2, 3, 5])('walks through history in chain order in pages of %d, and back', async (limit) => {
    expect(await all('order=asc', limit)).toEqual([1, 2, 4, 3, 0]);
    expect(await all('order=desc', limit)).toEqual([0, 3, 4, 2, 1]);
  });

  test('takes arrivals from `from`, and before `to`', async () => {
    const between = 'from=2026-11-02T08:00:10Z&to=2026-11-02T08:00:30Z';
    expect(await all(between, 10)).toEqual([2, 4]);
    expect(await all(`${between}&order=desc`, 1)).toEqual([4, 2]);
    expect(await all('from=2026-11-02T09:00:30%2B01:00', 10)).toEqual([3, 0]);
    expect(await all('to=2026-11-02T08:00:10Z', 10)).toEqual([1]);
    expect(await all('from=1970-01-01T00:00:00Z&to=2286-11-20T17:46:39.999Z', 10)).toEqual([1, 2, 4, 3, 0]);
  });

  test.each(['from=1969-12-31T23:59:59Z', 'to=2286-11-20T17:46:40Z'])(
    'refuses %s, at which nothing can have arrived',
    async (query) => {
      const { status, body } = await api.ask(`/v1/devices/bus-1/events?${query}`);
      expect([status, body.parameter]).toEqual([400, query.slice(0, query.indexOf('='))]);
    },
  );

  test('has nothing in a stretch in which nothing came, without being unknown', async () => {
    const { status, body } = await api.ask('/v1/devices/bus-1/events?from=2027-01-01T00:00:00Z');
    expect([status, body]).toEqual([200, { events: [] }]);
  });

  test('answers 404 for a device of which nothing is stored', async () => {
    const { status, body } = await api.ask('/v1/devices/nobody/events');
    expect([status, body.code]).toEqual([404, 'DEVICE_NOT_FOUND']);
  });

  test('ends a page early, with a cursor, before it is too large for a Lambda function to answer', async () => {
    // Each doubles where a text is escaped once more, as the body of a Lambda answer is.
    const text = '"'.repeat(100_000);
    for (let counter = 5; counter < 29; counter += 1)
      await api.say('bus-1', { counter, data: { n: counter, text } });
    let cursor = '';
    const found: number[] = [];
    for (;;) {
      const { body } = await api.ask(`/v1/devices/bus-1/events?limit=1000${cursor}`);
      expect(JSON.stringify(JSON.stringify(body)).length).toBeLessThan(6_000_000);
      found.push(...numbers(body));
      if (body.cursor === undefined) break;
      cursor = `&cursor=${body.cursor}`;
    }
    expect(found).toEqual([1, 2, 4, 3, 0, ...Array.from({ length: 24 }, (_, index) => index + 5)]);
  });

  test('shows an event whose unknown members are nested as deep as they fit, and numbers digit by digit', async () => {
    const depth = 100_000;
    const event = eventOf('bus-1', { counter: 9, data: { n: 9 } }, api.clock.now());
    const text = `${eventText(event).slice(0, -1)},"odd":1.0,"deep":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    const head = await api.pipeline.states.read(event.deviceId);
    if (head === undefined) throw new Error('nothing is stored');
    const sequence = sequenceNumber(String(9n * 10n ** 55n));
    const place = { sequenceNumber: sequence, subSequenceNumber: 0 };
    const [shard = shardId('none')] = api.pipeline.shardIds;
    const plan = planPage(head, shard, [{ place, arrivalTime: api.clock.now(), event, text }]);
    if (plan.kind !== 'page') throw new Error('the event was not planned');
    await api.pipeline.events.appendPage(plan.page);
    const app = createApp(api.services, loopbackAccess());
    const answer = await app.request('http://127.0.0.1/v1/devices/bus-1/events?order=desc&limit=1', {
      headers: { host: '127.0.0.1' },
    });
    expect(answer.status).toBe(200);
    const body = await answer.text();
    const known = eventText(event).slice(0, -1);
    expect(body.startsWith(`{"events":[${known},"position":`)).toBe(true);
    expect(body).toContain(`,"otherMembers":{${text.slice(known.length + 1)}`);
    expect(JSON.parse(body).events[0]).toMatchObject({ counter: 9, arrivalTime: '2026-11-02T08:00:50.000Z' });
  });

  test('tells members of the device from ours, whatever their names', async () => {
    const event = eventOf('bus-1', { counter: 9, data: { n: 9 } }, api.clock.now());
    const theirs =
      '"late":1.0,"repaired":"no","position":[9007199254740993],"arrivalTime":"never","otherMembers":{},"page":7,"reason":"r","__proto__":1';
    await api.pipeline.put(event, api.clock.now(), `${eventText(event).slice(0, -1)},${theirs}}`);
    const { body } = await api.ask('/v1/devices/bus-1/events?order=desc&limit=1');
    const [found] = body.events;
    expect(JSON.stringify(found.otherMembers)).toBe(JSON.stringify(JSON.parse(`{${theirs}}`)));
    expect(found).toMatchObject({
      arrivalTime: '2026-11-02T08:00:50.000Z',
      position: { subSequenceNumber: 0 },
      data: { n: 9 },
    });
    expect(found).not.toHaveProperty('late');
    expect(found).not.toHaveProperty('reason');
    expect((await api.ask('/v1/devices/bus-1/events?limit=1')).body.events[0]).not.toHaveProperty(
      'otherMembers',
    );
  });

  test('refuses a stretch that ends before it begins', async () => {
    const { status, body } = await api.ask(
      '/v1/devices/bus-1/events?from=2026-11-02T08:00:10Z&to=2026-11-02T08:00:09Z',
    );
    expect([status, body.parameter]).toEqual([400, 'to']);
  });

  test('refuses a cursor of another device, stretch or order', async () => {
    await api.say('bus-2', { counter: 1 });
    const { body } = await api.ask('/v1/devices/bus-1/events?limit=1');
    for (const path of [
      `/v1/devices/bus-2/events?cursor=${body.cursor}`,
      `/v1/devices/bus-1/events?order=desc&cursor=${body.cursor}`,
      `/v1/devices/bus-1/events?from=2026-11-02T08:00:10Z&cursor=${body.cursor}`,
      `/v1/devices/bus-1/events?to=2026-11-02T08:00:10Z&cursor=${body.cursor}`,
      '/v1/devices/bus-1/events?cursor=e30',
    ]) {
      const { status, body: problem } = await api.ask(path);
      expect([path, status, problem.parameter]).toEqual([path, 400, 'cursor']);
    }
  });
});
