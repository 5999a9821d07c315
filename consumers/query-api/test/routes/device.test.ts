import { deviceId, devicePathSegment, newDevice } from '@twinstream/device-model';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import { arrivedEvent, SHARDS } from '@twinstream/test-kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestApi, testApi } from '../test-api.ts';

const MINUTE_MS = 60_000;
let api: TestApi;

beforeEach(() => {
  api = testApi();
});
afterEach(() => api.close());

describe('GET /v1/devices/{deviceId}', () => {
  test.each(['.', '..', '...', '.well-known', 'plant 1/~pump-7', 'Zähler'])(
    'finds the device %j by a path that clients keep',
    async (id) => {
      await api.say(id, { counter: 1, data: { n: 1 } });
      const path = `/v1/devices/${devicePathSegment(id)}`;
      expect((await api.ask(path)).body).toMatchObject({ deviceId: id, attributes: { n: 1 } });
      expect((await api.ask(`${path}/events`)).body.events).toHaveLength(1);
      expect((await api.ask('/v1/devices/%07')).status).toBe(400);
    },
  );

  test('answers with the documented members and no others', async () => {
    await api.say('bus-1', {
      session: 3,
      counter: 7,
      data: { site: 'north', type: 'bus', firmware: 2, speedMph: 17.4, gone: 1 },
      time: '2026-11-02T09:00:00+01:00',
    });
    await api.say('bus-1', { session: 3, counter: 9, data: { gone: null } });
    const { status, body } = await api.ask('/v1/devices/bus-1');
    expect(status).toBe(200);
    expect(body).toEqual({
      deviceId: 'bus-1',
      status: 'unknown',
      liveness: 'online',
      attributes: { site: 'north', type: 'bus', firmware: 2, speedMph: 17.4 },
      labels: { site: 'north', type: 'bus', firmware: '2' },
      version: { session: 3, counter: 9 },
      position: {
        shardId: expect.stringMatching(/^shardId-\d{12}$/),
        sequenceNumber: expect.stringMatching(/^\d{56}$/),
        subSequenceNumber: 0,
      },
      counts: { events: 2, duplicates: 0, late: 0, gaps: 1 },
      lastEventTime: '2026-11-02T08:00:00.000Z',
      lastArrivalTime: '2026-11-02T08:00:00.000Z',
    });
  });

  test('keeps the time of the last event as the device wrote it', async () => {
    await api.say('bus-1', { counter: 1, time: '2026-11-02T09:00:00+01:00' });
    const { body } = await api.ask('/v1/devices/bus-1');
    expect(body.lastEventTime).toBe('2026-11-02T09:00:00+01:00');
  });

  test('tells up to which version attributes are not kept, where the names of a device are too many', async () => {
    for (let counter = 1; counter <= 9; counter += 1) {
      const names = Array.from({ length: 200 }, (_, index) => `${counter}-${index}-`.padEnd(128, 'x'));
      await api.say('bus-1', {
        session: 1,
        counter,
        data: Object.fromEntries(names.map((name) => [name, null])),
      });
      const { body } = await api.ask('/v1/devices/bus-1');
      expect(body.attributesFloor).toBe({ 8: '1.1', 9: '1.2' }[counter]);
    }
  });

  test('has no version while the device never counted', async () => {
    await api.say('bus-1', { data: { speedMph: 1 } });
    expect((await api.ask('/v1/devices/bus-1')).body.version).toBeNull();
  });

  test('tells what the device said from what its silence says', async () => {
    await api.say('bus-1', { type: 'connected', counter: 1 });
    const seen = [];
    for (const minutes of [0, 2, 1, 12, 1]) {
      await api.clock.advance(minutes * MINUTE_MS);
      const { body } = await api.ask('/v1/devices/bus-1');
      seen.push([body.status, body.liveness]);
    }
    expect(seen).toEqual([
      ['connected', 'online'],
      ['connected', 'online'],
      ['connected', 'stale'],
      ['connected', 'stale'],
      ['connected', 'offline'],
    ]);
  });

  test('takes ids that are percent-encoded, and ids that look like integers', async () => {
    await api.say('gate:7', { counter: 1 });
    await api.say('10', { counter: 1 });
    expect((await api.ask('/v1/devices/gate%3A7')).body.deviceId).toBe('gate:7');
    expect((await api.ask('/v1/devices/gate:7')).body.deviceId).toBe('gate:7');
    expect((await api.ask('/v1/devices/10')).body.deviceId).toBe('10');
  });

  test('answers 404 for a legal id of which nothing is stored, and 400 for an illegal one', async () => {
    const unknown = await api.ask('/v1/devices/nobody');
    expect([unknown.status, unknown.body.code]).toEqual([404, 'DEVICE_NOT_FOUND']);
    expect(unknown.headers.get('content-type')).toBe('application/problem+json');
    const illegal = await api.ask('/v1/devices/no%0Abody');
    expect([illegal.status, illegal.body.parameter]).toEqual([400, 'deviceId']);
  });

  test('answers 404 STATE_MISSING for a device that has pages and no state, as one does whose state is too large', async () => {
    await writeBatch(api.pipeline.events, newDevice(deviceId('bus-9')), SHARDS[0], [
      arrivedEvent({ deviceId: 'bus-9', at: 1, session: 1, counter: 1 }),
    ]);
    const { status, body } = await api.ask('/v1/devices/bus-9');
    expect([status, body.code]).toEqual([404, 'STATE_MISSING']);
    expect(body.detail).not.toContain('nothing');
    const history = await api.ask('/v1/devices/bus-9/events');
    expect([history.status, history.body.events.length]).toEqual([200, 1]);
    const later = await api.ask('/v1/devices/bus-9/events?from=2027-01-01T00:00:00Z');
    expect([later.status, later.body]).toEqual([200, { events: [] }]);
    const early = await api.ask('/v1/devices/bus-9?at=2026-01-01T00:00:00Z');
    expect([early.status, early.body.code]).toEqual([404, 'NO_STATE_AT_TIME']);
  });

  test('gives attributes any name, __proto__ too', async () => {
    await api.say('bus-1', {
      counter: 1,
      data: JSON.parse('{"__proto__": 5, "constructor": {"a": [1, null]}}'),
    });
    const { body } = await api.ask('/v1/devices/bus-1');
    expect(Object.entries(body.attributes)).toEqual([
      ['__proto__', 5],
      ['constructor', { a: [1, null] }],
    ]);
  });
});

describe('fields', () => {
  beforeEach(() => api.say('bus-1', { counter: 1, data: { speedMph: 17.4, doorOpen: true } }));

  test('selects members, and single attributes', async () => {
    expect(
      (await api.ask('/v1/devices/bus-1?fields=status,attributes.speedMph,attributes.none')).body,
    ).toEqual({
      deviceId: 'bus-1',
      status: 'unknown',
      attributes: { speedMph: 17.4 },
    });
  });

  test('refuses a member that a device does not have, and names the parameter', async () => {
    const { status, body } = await api.ask('/v1/devices/bus-1?fields=status,password');
    expect([status, body.parameter]).toEqual([400, 'fields']);
  });

  test('tells which event wrote each attribute, removed ones and corrections included', async () => {
    await api.clock.advance(1_000);
    await api.say('bus-1', { counter: 2, data: { doorOpen: null } });
    await api.clock.advance(1_000);
    const correction = { correctionId: 'c1', reason: 'r', actor: 'a', corrects: { session: 1, counter: 1 } };
    await api.say('bus-1', { data: { speedMph: 3 }, correction });
    const { body } = await api.ask('/v1/devices/bus-1?fields=attributeVersions');
    expect(body.attributeVersions).toEqual({
      speedMph: {
        session: 1,
        counter: 1,
        ordinal: 0,
        revision: 1,
        time: '2026-11-02T08:00:02.000Z',
        arrivalTime: '2026-11-02T08:00:02.000Z',
      },
      doorOpen: {
        session: 1,
        counter: 2,
        ordinal: 0,
        revision: 0,
        removed: true,
        time: '2026-11-02T08:00:01.000Z',
        arrivalTime: '2026-11-02T08:00:01.000Z',
      },
    });
  });

  test('names the troubles of a device, with cause and beginning', async () => {
    await api.say('bus-1', { counter: 1 });
    await api.clock.advance(MINUTE_MS);
    await api.say('bus-1', { counter: 5 });
    await api.clock.advance(MINUTE_MS);
    await api.say('bus-1', { counter: 7 });
    await api.say('bus-1', { counter: 3 });
    await api.clock.advance(20 * MINUTE_MS);
    const { body } = await api.ask('/v1/devices/bus-1?fields=troubles');
    expect(body.troubles).toEqual([
      {
        trouble: 'silent',
        acknowledgement: null,
        cause: 'nothing has arrived since, and no disconnect message before',
        since: '2026-11-02T08:02:00.000Z',
      },
      {
        trouble: 'gaps',
        acknowledgement: null,
        cause:
          'not arrived, though later events have: counter 2 of session 1, counter 4 of session 1, counter 6 of session 1',
        since: '2026-11-02T08:01:00.000Z',
      },
    ]);
    await api.say('bus-1', { type: 'disconnected', counter: 8 });
    await api.clock.advance(20 * MINUTE_MS);
    const { body: left } = await api.ask('/v1/devices/bus-1?fields=troubles');
    expect(left.troubles.map(({ trouble }: { trouble: string }) => trouble)).toEqual(['gaps']);
  });

  test('does not say since when events are missing where its last events do not tell', async () => {
    await api.say('bus-1', { counter: 1 });
    for (let counter = 5; counter < 510; counter += 1) await api.say('bus-1', { counter });
    const { body } = await api.ask('/v1/devices/bus-1?fields=troubles');
    expect(body.troubles).toEqual([
      {
        trouble: 'gaps',
        acknowledgement: null,
        cause: 'not arrived, though later events have: counters 2-4 of session 1',
        since: null,
      },
    ]);
  });

  test('a device that disconnects is offline, and online when it is heard again', async () => {
    await api.say('bus-9', { type: 'disconnected', counter: 1 });
    expect((await api.ask('/v1/devices/bus-9')).body).toMatchObject({
      status: 'disconnected',
      liveness: 'offline',
    });
    await api.say('bus-9', { counter: 2 });
    expect((await api.ask('/v1/devices/bus-9')).body.liveness).toBe('online');
  });

  test('says up to when arrivals are in the answer', async () => {
    await api.say('bus-1', { counter: 1 });
    const { body } = await api.ask('/v1/devices/bus-1?fields=processedTime');
    expect(body.processedTime).toBe('2026-11-02T08:00:00.000Z');
    expect((await api.ask('/v1/devices?fields=processedTime')).body.devices[0].processedTime).toBe(
      '2026-11-02T08:00:00.000Z',
    );
  });
});

describe('conditional requests', () => {
  test('answer 304 as long as nothing has changed', async () => {
    await api.say('bus-1', { counter: 1 });
    const etag = (await api.ask('/v1/devices/bus-1')).headers.get('etag') ?? '';
    const again = () => api.ask('/v1/devices/bus-1', { headers: { 'if-none-match': `"other", W/${etag}` } });
    const unchanged = await again();
    expect([unchanged.status, unchanged.body, unchanged.headers.get('etag')]).toEqual([304, '', etag]);
    await api.say('bus-1', { counter: 2 });
    expect((await again()).status).toBe(200);
  });

  test('see a duplicate, which changes counts alone', async () => {
    await api.say('bus-1', { counter: 1 });
    const etag = (await api.ask('/v1/devices/bus-1')).headers.get('etag') ?? '';
    await api.say('bus-1', { counter: 1 });
    const { status, body } = await api.ask('/v1/devices/bus-1', { headers: { 'if-none-match': etag } });
    expect([status, body.counts.duplicates]).toEqual([200, 1]);
  });

  test('see a repair that leaves the state at its page, and so does the list', async () => {
    await api.say('bus-1', { counter: 1, data: { speedMph: 1 } });
    const right = await api.pipeline.states.read(deviceId('bus-1'));
    const version = { session: 1, counter: 1, ordinal: 0, revision: 0 };
    if (right === undefined) throw new Error('nothing is stored');
    const damaged = { ...right, attributes: new Map([['speedMph', { value: 9, version }]]) };
    await api.pipeline.states.replace(damaged, 'damaged');
    const { headers, body } = await api.ask('/v1/devices/bus-1');
    expect(body.attributes).toEqual({ speedMph: 9 });
    const listed = async () => (await api.ask('/v1/devices')).body.devices[0].attributes;
    expect(await listed()).toEqual({ speedMph: 9 });
    await api.pipeline.states.replace(right, 'damaged');
    const again = await api.ask('/v1/devices/bus-1', {
      headers: { 'if-none-match': headers.get('etag') ?? '' },
    });
    expect([again.status, again.body.attributes]).toEqual([200, { speedMph: 1 }]);
    // The view reads the whole table at least every five minutes.
    for (let minute = 0; minute < 6; minute += 1) {
      await api.ask('/v1/devices');
      await api.clock.advance(59_000);
    }
    expect(await listed()).toEqual({ speedMph: 1 });
  });

  test('see that a device has gone stale, though nothing came', async () => {
    await api.say('bus-1', { counter: 1 });
    const etag = (await api.ask('/v1/devices/bus-1')).headers.get('etag') ?? '';
    await api.clock.advance(3 * MINUTE_MS);
    const { status, body } = await api.ask('/v1/devices/bus-1', { headers: { 'if-none-match': etag } });
    expect([status, body.liveness]).toEqual([200, 'stale']);
  });

  test('do not take one selection of fields for another', async () => {
    await api.say('bus-1', { counter: 1 });
    const etag = (await api.ask('/v1/devices/bus-1?fields=status')).headers.get('etag') ?? '';
    const { status } = await api.ask('/v1/devices/bus-1?fields=counts', {
      headers: { 'if-none-match': etag },
    });
    expect(status).toBe(200);
  });
});

describe('at', () => {
  test('turns back time, liveness included', async () => {
    await api.say('bus-1', { counter: 1, data: { speedMph: 1 } });
    await api.clock.advance(MINUTE_MS);
    await api.say('bus-1', { counter: 2, data: { speedMph: 2 } });
    await api.clock.advance(60 * MINUTE_MS);
    const now = await api.ask('/v1/devices/bus-1');
    expect([now.body.attributes, now.body.liveness]).toEqual([{ speedMph: 2 }, 'offline']);
    const then = await api.ask('/v1/devices/bus-1?at=2026-11-02T08:00:59Z');
    expect([then.body.attributes, then.body.liveness, then.body.counts.events]).toEqual([
      { speedMph: 1 },
      'online',
      1,
    ]);
    const included = await api.ask('/v1/devices/bus-1?at=2026-11-02T08:01:00Z');
    expect(included.body.attributes).toEqual({ speedMph: 2 });
  });

  test('reads any offset, also where the plus sign of a query has become a space', async () => {
    await api.say('bus-1', { counter: 1 });
    for (const at of [
      '2026-11-02T09:00:00%2B01:00',
      '2026-11-02T09:00:00+01:00',
      '2026-11-02T03:00:00-0500',
    ]) {
      expect((await api.ask(`/v1/devices/bus-1?at=${at}`)).status).toBe(200);
    }
    const { status, body } = await api.ask('/v1/devices/bus-1?at=2026-11-02T07:59:59Z');
    expect([status, body.code]).toEqual([404, 'NO_STATE_AT_TIME']);
  });

  test.each(['yesterday', '2026-11-02', '2026-11-02T08:00:00', '2026-02-30T08:00:00Z', '', '1793606400000'])(
    'refuses %j, which is not a time with an offset',
    async (at) => {
      const { status, body } = await api.ask(`/v1/devices/bus-1?at=${at}`);
      expect([status, body.parameter]).toEqual([400, 'at']);
    },
  );

  test('tells the state as of arrival from that as of event time', async () => {
    await api.say('bus-1', { counter: 1, data: { speedMph: 1 } });
    await api.clock.advance(10 * MINUTE_MS);
    // Counter 3 came first; counter 2, of an earlier moment, came late.
    await api.say('bus-1', { counter: 3, data: { speedMph: 3 } });
    await api.say('bus-1', { counter: 2, data: { speedMph: 2 }, time: '2026-11-02T08:05:00Z' });
    const at = '2026-11-02T08:06:00Z';
    const byArrival = await api.ask(`/v1/devices/bus-1?at=${at}&basis=arrival`);
    const byEventTime = await api.ask(`/v1/devices/bus-1?at=${at}&basis=event-time`);
    expect([byArrival.body.attributes, byEventTime.body.attributes]).toEqual([
      { speedMph: 1 },
      { speedMph: 2 },
    ]);
    // What was heard by then is the same on either basis.
    expect([byEventTime.body.lastArrivalTime, byEventTime.body.liveness]).toEqual([
      '2026-11-02T08:00:00.000Z',
      'stale',
    ]);
  });

  test.each([
    ['at=1965-01-01T00:00:00Z', 'at', /^at: must lie between 1970-01-01T00:00:00.000Z and 2286-/],
    ['at=2286-11-20T17:46:40Z&basis=event-time', 'at', /^at: must lie between/],
    ['diff=1969-12-31T23:59:59Z', 'diff', /must lie between/],
    ['at=2026-11-02T08:01:00Z', 'at', /^at: lies in the future: now it is 2026-11-02T08:00:00.000Z$/],
    ['at=2026-11-02T08:00:00Z&diff=2027-01-01T00:00:00Z', 'diff', /^diff: lies in the future/],
  ])(
    'refuses %s: nothing is clamped, and nothing is told of the future',
    async (query, parameter, detail) => {
      await api.say('bus-1', { counter: 1 });
      const { status, body } = await api.ask(`/v1/devices/bus-1?${query}`);
      expect([status, body.code, body.parameter]).toEqual([400, 'BAD_PARAMETER', parameter]);
      expect(body.detail).toMatch(detail);
    },
  );

  test('takes a caller whose clock runs ahead by a little', async () => {
    await api.say('bus-1', { counter: 1 });
    expect((await api.ask('/v1/devices/bus-1?at=2026-11-02T08:00:09Z')).status).toBe(200);
  });

  test('tells which event wrote what was so then, however many came after', async () => {
    await api.say('bus-1', { counter: 1, data: { speedMph: 1 } });
    await api.clock.advance(MINUTE_MS);
    // More than are looked back over.
    for (let counter = 2; counter < 520; counter += 1) await api.say('bus-1', { counter });
    const { body } = await api.ask('/v1/devices/bus-1?at=2026-11-02T08:00:30Z&fields=attributeVersions');
    expect(body.attributeVersions.speedMph).toMatchObject({
      counter: 1,
      arrivalTime: '2026-11-02T08:00:00.000Z',
    });
  });

  test('tells which event wrote what is known of then, also where it arrived later', async () => {
    await api.say('bus-1', { counter: 1, data: { speedMph: 1 } });
    await api.clock.advance(10 * MINUTE_MS);
    await api.say('bus-1', { counter: 3 });
    await api.say('bus-1', { counter: 2, data: { speedMph: 2 }, time: '2026-11-02T08:05:00Z' });
    const query = 'at=2026-11-02T08:06:00Z&basis=event-time&fields=attributeVersions';
    const { body } = await api.ask(`/v1/devices/bus-1?${query}`);
    expect(body.attributeVersions.speedMph).toMatchObject({
      counter: 2,
      time: '2026-11-02T08:05:00Z',
      arrivalTime: '2026-11-02T08:10:00.000Z',
    });
  });

  test('refuses a basis without a time', async () => {
    const { status, body } = await api.ask('/v1/devices/bus-1?basis=event-time');
    expect([status, body.parameter]).toEqual([400, 'basis']);
  });
});

describe('diff', () => {
  beforeEach(async () => {
    await api.say('bus-1', {
      type: 'connected',
      counter: 1,
      data: { speedMph: 1, door: { open: true }, old: 1 },
    });
    await api.clock.advance(MINUTE_MS);
    await api.say('bus-1', { counter: 2, data: { speedMph: 2, old: null, fresh: [1] } });
    await api.clock.advance(MINUTE_MS);
    await api.say('bus-1', { type: 'disconnected', counter: 3, data: { door: { open: true } } });
  });

  const changes = {
    from: '2026-11-02T08:00:30.000Z',
    to: '2026-11-02T08:02:00.000Z',
    attributes: { fresh: { after: [1] }, old: { before: 1 }, speedMph: { before: 1, after: 2 } },
    status: { before: 'connected', after: 'disconnected' },
    events: 2,
  };

  test('says what changed from a moment until now', async () => {
    const { body } = await api.ask('/v1/devices/bus-1?at=2026-11-02T08:00:30Z&diff=now');
    expect(body.attributes).toEqual({ speedMph: 1, door: { open: true }, old: 1 });
    expect(body.changes).toEqual(changes);
  });

  test('says the same seen from now', async () => {
    const { body } = await api.ask('/v1/devices/bus-1?diff=2026-11-02T08:00:30Z');
    expect(body.attributes).toEqual({ speedMph: 2, door: { open: true }, fresh: [1] });
    expect(body.changes).toEqual(changes);
  });

  test('begins with nothing before the device was known', async () => {
    const { body } = await api.ask('/v1/devices/bus-1?at=2026-11-02T08:00:30Z&diff=2026-11-01T00:00:00Z');
    expect(body.changes).toMatchObject({ from: null, events: 1, attributes: { speedMph: { after: 1 } } });
  });
});
