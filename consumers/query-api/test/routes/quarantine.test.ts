import type { QuarantinedRecordJson } from '@twinstream/api-contract';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loopbackAccess } from '../../src/access.ts';
import { createApp } from '../../src/app.ts';
import { checkedClient } from '../checked-client.ts';
import { type TestApi, testApi } from '../test-api.ts';

let api: TestApi;

beforeEach(async () => {
  api = testApi();
  await api.say('bus-1', { counter: 1, data: { speedMph: 17 } });
});
afterEach(() => api.close());

const EVENT = { v: 1, deviceId: 'bus-1', type: 'reported', time: '2026-11-02T07:59:00.000Z', data: { a: 1 } };
const WHY = { reason: 'old firmware', actor: 'ann' };

const reject = (text: string | Uint8Array, key = 'bus-1') =>
  api.pipeline.reject(Buffer.from(text), key, api.clock.now());
const list = async (search = ''): Promise<QuarantinedRecordJson[]> =>
  (await api.ask(`/v1/quarantine${search}`)).body.records;
const post = (path: string, body: unknown) =>
  api.ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const rejectOne = async (text: string | Uint8Array) => {
  await reject(text);
  const [record] = await list();
  if (record === undefined) throw new Error('nothing is in quarantine');
  return `/v1/quarantine/${record.recordId}`;
};

describe('GET /v1/quarantine', () => {
  test('names reason, device, size and arrival of each record, without its payload', async () => {
    await reject(JSON.stringify({ ...EVENT, v: 9 }));
    expect(await list()).toEqual([
      {
        recordId: expect.stringMatching(/^2026-11-02T08:shardId-\d{12}:\d{56}:1$/),
        shardId: expect.stringMatching(/^shardId-/),
        sequenceNumber: expect.stringMatching(/^\d{56}$/),
        arrivalTime: '2026-11-02T08:00:00.000Z',
        partitionKey: 'bus-1',
        entries: [
          {
            subSequenceNumber: 0,
            reason: 'unsupported-version',
            detail: 'v must be 1',
            partitionKey: 'bus-1',
            bytes: expect.any(Number),
          },
        ],
      },
    ]);
  });

  test('filters by reason, device and time of arrival', async () => {
    await reject('{', 'bus-2');
    await api.clock.advance(7_200_000);
    await reject('[]');
    const reasons = async (search: string) =>
      (await list(search)).map(({ entries }) => entries.map(({ reason }) => reason).join());
    expect(await reasons('?rejection=not-json')).toEqual(['not-json']);
    expect(await reasons('?partitionKey=bus-1')).toEqual(['not-object']);
    expect(await reasons('?from=now-1h')).toEqual(['not-object']);
    expect(await reasons('?to=now-1h')).toEqual(['not-json']);
    expect((await api.ask('/v1/quarantine?from=now&to=now-1h')).status).toBe(400);
  });

  test('goes page by page through more records than one answer has, each once', async () => {
    for (let count = 0; count < 45; count += 1) await reject('{', `bus-${count}`);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await api.ask(`/v1/quarantine?limit=7${cursor && `&cursor=${cursor}`}`);
      seen.push(...body.records.map(({ recordId }: QuarantinedRecordJson) => recordId));
      cursor = body.cursor ?? '';
    } while (cursor !== '');
    expect(new Set(seen).size).toBe(45);
    expect(seen).toHaveLength(45);
    expect((await api.ask('/v1/quarantine?cursor=bm8')).body.code).toBe('BAD_CURSOR');
  });
});

test('GET /v1/quarantine/{recordId} has the bytes of every entry', async () => {
  const bytes = Buffer.from([0, 255, 243, 10]);
  const path = await rejectOne(bytes);
  const { entries } = (await api.ask(path)).body;
  expect(Buffer.from(entries[0].base64, 'base64')).toEqual(bytes);
  expect(entries[0]).toMatchObject({ reason: 'invalid-utf8', bytes: 4 });
});

describe('redrive', () => {
  test('previews without storing, stores the repaired event, and the record leaves quarantine', async () => {
    const path = await rejectOne(JSON.stringify({ ...EVENT, v: 9 }));
    const entries = [{ subSequenceNumber: 0, text: JSON.stringify(EVENT) }];
    const preview = await post(`${path}/redrive-preview`, { entries });
    const would = { subSequenceNumber: 0, deviceId: 'bus-1', outcome: 'would-store', detail: '' };
    expect(preview.body).toMatchObject({ results: [would], isResolved: false });
    expect((await api.ask('/v1/devices/bus-1')).body.attributes).toEqual({ speedMph: 17 });

    const { status, body } = await post(`${path}/redrive`, { entries, ...WHY });
    expect(status).toBe(200);
    expect(body).toMatchObject({ results: [{ ...would, outcome: 'stored' }], isResolved: true });
    expect((await api.ask('/v1/devices/bus-1')).body.attributes).toEqual({ speedMph: 17, a: 1 });
    const { events } = (await api.ask('/v1/devices/bus-1/events')).body;
    expect(events.at(-1)).toMatchObject({ repaired: true, data: { a: 1 } });
    expect(await list()).toEqual([]);
    const [resolved] = await Array.fromAsync(api.services.quarantine.resolved());
    expect(resolved?.resolution).toMatchObject({ outcome: 'redriven', ...WHY });
    expect((await post(`${path}/redrive`, { entries, ...WHY })).body.code).toBe('NOT_IN_QUARANTINE');
  });

  test('says what is still invalid, and leaves it where it is', async () => {
    const path = await rejectOne('{');
    const { body } = await post(`${path}/redrive`, WHY);
    expect(body.results).toMatchObject([
      { outcome: 'still-invalid', detail: expect.stringMatching(/^not-json/) },
    ]);
    expect(body.isResolved).toBe(false);
    expect(await list()).toHaveLength(1);
  });

  test('stores nothing of a record that the projector has not finished', async () => {
    const path = await rejectOne('{');
    const { redriving } = api.services;
    const app = createApp(
      { ...api.services, redriving: { ...redriving, shardProgress: { read: async () => [] } } },
      loopbackAccess(),
    );
    const { body } = await checkedClient(app)(`${path}/redrive`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ entries: [{ subSequenceNumber: 0, text: JSON.stringify(EVENT) }], ...WHY }),
    });
    expect(body.results).toMatchObject([{ outcome: 'not-finished' }]);
    expect(await list()).toHaveLength(1);
  });

  test.each([
    ['no reason', { actor: 'ann' }, 'body.reason'],
    ['nobody who acts', { reason: 'r' }, 'body.actor'],
  ])('refuses %s', async (_, body, parameter) => {
    const path = await rejectOne('{');
    expect((await post(`${path}/redrive`, body)).body).toMatchObject({ code: 'BAD_BODY', parameter });
  });

  test('an entry that the record does not have is not in quarantine', async () => {
    const path = await rejectOne('{');
    const answer = await post(`${path}/redrive`, { ...WHY, entries: [{ subSequenceNumber: 3, text: '' }] });
    expect(answer).toMatchObject({ status: 404, body: { code: 'NOT_IN_QUARANTINE' } });
    expect(answer.body.detail).toMatch(/^entry 3 of /);
  });
});

test('a discarded record leaves quarantine, and is kept with who and why', async () => {
  const path = await rejectOne('{');
  expect((await post(`${path}/discard`, { reason: 'r' })).body.code).toBe('BAD_BODY');
  expect((await post(`${path}/discard`, WHY)).status).toBe(200);
  expect(await list()).toEqual([]);
  const [resolved] = await Array.fromAsync(api.services.quarantine.resolved());
  expect(resolved?.resolution).toMatchObject({ outcome: 'discarded', ...WHY });
  expect((await post(`${path}/discard`, WHY)).body.code).toBe('NOT_IN_QUARANTINE');
  expect((await api.ask('/v1/quarantine/no-such-record')).status).toBe(400);
});
