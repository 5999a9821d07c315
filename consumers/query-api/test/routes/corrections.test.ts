import { CodedError } from '@twinstream/runtime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loopbackAccess } from '../../src/access.ts';
import { createApp } from '../../src/app.ts';
import { checkedClient } from '../checked-client.ts';
import { type TestApi, testApi } from '../test-api.ts';

let api: TestApi;

beforeEach(async () => {
  api = testApi();
  await api.say('bus-1', { counter: 1, data: { speedMph: 170 } });
});
afterEach(() => api.close());

const CORRECTION = { data: { speedMph: 17 }, reason: 'a digit too many', actor: 'ann' };

const correct = (body: unknown, headers: Record<string, string> = {}) =>
  api.ask('/v1/devices/bus-1/corrections', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

describe('POST /v1/devices/{deviceId}/corrections', () => {
  test('puts a corrected event on the stream, and answers with its identity', async () => {
    const { status, body } = await correct(CORRECTION, { 'idempotency-key': 'fix-1' });
    expect(status).toBe(202);
    expect(body).toEqual({
      deviceId: 'bus-1',
      correctionId: 'fix-1',
      position: {
        shardId: expect.any(String),
        sequenceNumber: expect.stringMatching(/^\d{56}$/),
        subSequenceNumber: 0,
      },
    });
    const { events } = (await api.ask('/v1/devices/bus-1/events?order=desc&limit=1')).body;
    expect(events[0]).toMatchObject({
      type: 'corrected',
      time: '2026-11-02T08:00:00.000Z',
      correctionId: 'fix-1',
      reason: 'a digit too many',
      actor: 'ann',
      data: { speedMph: 17 },
      position: body.position,
    });
    expect((await api.ask('/v1/devices/bus-1')).body).toMatchObject({
      attributes: { speedMph: 17 },
      version: { session: 1, counter: 1 },
    });
  });

  test('corrects attributes with the names that every object has', async () => {
    const data = '{"__proto__":1,"constructor":"c","toString":{"__proto__":[2]}}';
    const { status } = await correct(`{"data":${data},"reason":"r","actor":"ann"}`);
    expect(status).toBe(202);
    const { attributes } = (await api.ask('/v1/devices/bus-1')).body;
    expect(JSON.stringify(attributes)).toBe(`{"speedMph":170,${data.slice(1)}`);
  });

  test.each(['9007199254740993', '0.1234567890123456789', '1e-400', '[{"a":12345678901234567890}]'])(
    'refuses a value that a double does not hold: %s',
    async (value) => {
      const { status, body } = await correct(`{"data":{"n":${value}},"reason":"r","actor":"ann"}`);
      expect([status, body.code]).toEqual([400, 'BAD_BODY']);
      expect(body.detail).toContain(`number-not-exact: ${value.replace(/[^-\de.]/g, '')}`);
      expect((await api.ask('/v1/devices/bus-1')).body.counts.events).toBe(1);
    },
  );

  test('stores nothing for the same key again', async () => {
    await correct(CORRECTION, { 'idempotency-key': 'fix-1' });
    const again = await correct(CORRECTION, { 'idempotency-key': 'fix-1' });
    expect([again.status, again.body.correctionId]).toEqual([202, 'fix-1']);
    expect((await api.ask('/v1/devices/bus-1')).body.counts.events).toBe(2);
  });

  test('gives each correction without a key an id of its own', async () => {
    const one = await correct(CORRECTION);
    const other = await correct(CORRECTION);
    expect(one.body.correctionId).not.toBe(other.body.correctionId);
    expect((await api.ask('/v1/devices/bus-1')).body.counts.events).toBe(3);
  });

  test.each([
    ['no data', { reason: 'r', actor: 'a' }, 'body.data'],
    ['data that is a list', { ...CORRECTION, data: [] }, 'body.data'],
    ['no reason', { data: {}, actor: 'a' }, 'body.reason'],
    ['no actor', { data: {}, reason: 'r' }, 'body.actor'],
    ['an unknown member', { ...CORRECTION, extra: 1 }, 'body'],
    ['half a target', { ...CORRECTION, corrects: { session: 1 } }, 'body.corrects.counter'],
    ['a time without offset', { ...CORRECTION, time: '2026-11-02T08:00:00' }, 'body.time'],
    ['an attribute without a name', { ...CORRECTION, data: { '': 1 } }, 'body.data'],
    ['numbers that no store holds', '{"data":{"x":1e300},"reason":"r","actor":"a"}', 'body.data'],
    ['a reason that is half a surrogate pair', { ...CORRECTION, reason: '\ud800' }, 'body.data'],
  ])('refuses %s', async (_what, body, parameter) => {
    const answer = await correct(body);
    expect([answer.status, answer.body.code, answer.body.parameter]).toEqual([400, 'BAD_BODY', parameter]);
  });

  test('refuses what is not JSON, and what does not say that it is', async () => {
    expect((await correct('{')).body.code).toBe('BAD_BODY');
    expect((await correct(CORRECTION, { 'content-type': 'text/plain' })).status).toBe(415);
  });

  test('refuses a body that is larger than any event', async () => {
    const { status, body } = await correct({ ...CORRECTION, data: { text: 'x'.repeat(600_000) } });
    expect([status, body.code]).toEqual([413, 'BODY_TOO_LARGE']);
  });

  test('refuses an event that is larger than an event may be', async () => {
    const { status, body } = await correct({ ...CORRECTION, data: { text: 'x'.repeat(300_000) } });
    expect([status, body.parameter]).toEqual([400, 'body.data']);
  });

  test('refuses a key that no correction could have', async () => {
    const { status, body } = await correct(CORRECTION, { 'idempotency-key': 'k'.repeat(129) });
    expect([status, body.parameter]).toEqual([400, 'Idempotency-Key']);
  });

  test.each([
    ['a later session', { session: 2, counter: 0 }],
    ['a later counter', { session: 1, counter: 2 }],
  ])(
    'refuses a correction of %s than the device has come to, which would pin its attributes',
    async (_what, corrects) => {
      const { status, body } = await correct({ ...CORRECTION, corrects });
      expect([status, body.code]).toEqual([409, 'CORRECTION_AHEAD']);
      expect(body.detail).toBe(
        `corrects ${corrects.session}:${corrects.counter}, but the device has come to 1:1`,
      );
      expect((await api.ask('/v1/devices/bus-1')).body.counts.events).toBe(1);
    },
  );

  test('refuses a correction of an event of a device that never counted any', async () => {
    const { status, body } = await api.ask('/v1/devices/nobody/corrections', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...CORRECTION, newDevice: true, corrects: { session: 0, counter: 0 } }),
    });
    expect([status, body.code]).toEqual([409, 'CORRECTION_AHEAD']);
  });

  test('takes a correction of what the device has come to', async () => {
    const { status } = await correct({ ...CORRECTION, corrects: { session: 1, counter: 1 } });
    expect(status).toBe(202);
  });

  test('refuses an unknown device, unless the caller says that it is new', async () => {
    const ask = (body: unknown) =>
      api.ask('/v1/devices/buss-1/corrections', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const { status, body } = await ask(CORRECTION);
    expect([status, body.code]).toEqual([404, 'DEVICE_NOT_FOUND']);
    expect((await api.ask('/v1/devices/buss-1')).status).toBe(404);
    expect((await ask({ ...CORRECTION, newDevice: true })).status).toBe(202);
    expect((await api.ask('/v1/devices/buss-1')).body.attributes).toEqual({ speedMph: 17 });
  });

  test('refuses a correction of an event that is not stored', async () => {
    await api.say('bus-1', { counter: 3 });
    const corrects = { session: 1, counter: 2 };
    const missing = await correct({ ...CORRECTION, corrects });
    expect([missing.status, missing.body.code]).toEqual([409, 'CORRECTED_EVENT_NOT_STORED']);
    const before = await correct({ ...CORRECTION, corrects: { session: 0, counter: 9 } });
    expect(before.body.code).toBe('CORRECTED_EVENT_NOT_STORED');
    await api.say('bus-1', { counter: 2 });
    expect((await correct({ ...CORRECTION, corrects })).status).toBe(202);
  });

  test('finds an event that the state no longer remembers', async () => {
    for (let counter = 3; counter < 300; counter += 2) await api.say('bus-1', { counter });
    expect((await correct({ ...CORRECTION, corrects: { session: 1, counter: 5 } })).status).toBe(202);
    const { body } = await correct({ ...CORRECTION, corrects: { session: 1, counter: 6 } });
    expect(body.code).toBe('CORRECTED_EVENT_NOT_STORED');
  });

  test.each([
    ['which this process remembers', 0],
    ['which is found in the history', 700_000],
  ])('refuses the same key with other content, %s', async (_what, waitMs) => {
    const first = await correct(CORRECTION, { 'idempotency-key': 'fix-1' });
    await api.clock.advance(waitMs);
    const again = await correct(CORRECTION, { 'idempotency-key': 'fix-1' });
    expect([again.status, again.body]).toEqual([202, first.body]);
    for (const other of [
      { ...CORRECTION, data: { speedMph: 18 } },
      { ...CORRECTION, reason: 'another' },
      { ...CORRECTION, time: '2026-11-02T07:00:00Z' },
    ]) {
      const { status, body } = await correct(other, { 'idempotency-key': 'fix-1' });
      expect([status, body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    }
    expect((await api.ask('/v1/devices/bus-1')).body.counts).toMatchObject({ events: 2, duplicates: 0 });
  });

  test('a repeated request is the same in whatever order its members come', async () => {
    const one = '{"data":{"a":1,"b":{"c":2,"d":3}},"reason":"r","actor":"ann"}';
    const other = '{"actor":"ann","reason":"r","data":{"b":{"d":3,"c":2},"a":1}}';
    expect((await correct(one, { 'idempotency-key': 'fix-1' })).status).toBe(202);
    expect((await correct(other, { 'idempotency-key': 'fix-1' })).status).toBe(202);
  });

  test('puts a correction again whose outcome is unknown, under the same key and with the same content alone', async () => {
    let fails = true;
    const services = {
      ...api.services,
      logger: silent(api),
      stream: {
        putRecords: async (...entries: Parameters<typeof api.services.stream.putRecords>) => {
          if (fails) throw new CodedError('STREAM_UNAVAILABLE', 'no answer', { retryable: true });
          return api.services.stream.putRecords(...entries);
        },
      },
    };
    const ask = checkedClient(createApp(services, loopbackAccess()));
    const send = async (body: unknown) =>
      (
        await ask('/v1/devices/bus-1/corrections', {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': 'fix-1' },
          body: JSON.stringify(body),
        })
      ).status;
    expect(await send(CORRECTION)).toBe(503);
    fails = false;
    expect(await send({ ...CORRECTION, reason: 'another' })).toBe(422);
    expect(await send(CORRECTION)).toBe(202);
  });

  test.each([
    [
      'a throttled record',
      async () => [
        {
          status: 'rejected' as const,
          errorCode: 'ProvisionedThroughputExceededException',
          message: 'slow down',
        },
      ],
    ],
    [
      'an unavailable stream',
      async () => {
        throw new CodedError('STREAM_UNAVAILABLE', 'no answer', { retryable: true });
      },
    ],
  ])('says that it may be tried again after %s', async (_what, putRecords) => {
    const services = { ...api.services, stream: { putRecords }, logger: silent(api) };
    const ask = checkedClient(createApp(services, loopbackAccess()));
    const { status, headers, body } = await ask('/v1/devices/bus-1/corrections', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(CORRECTION),
    });
    expect([status, headers.get('retry-after'), body.code]).toEqual([503, '1', 'UNAVAILABLE']);
  });
});

function silent({ services }: TestApi) {
  const logger = services.logger.child({});
  logger.level = 'silent';
  return logger;
}
