import { createLogger } from '@twinstream/runtime';
import { eventReader, settled } from '@twinstream/test-kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loopbackAccess } from '../../src/access.ts';
import { createApp } from '../../src/app.ts';
import { type TestApi, testApi } from '../test-api.ts';

let api: TestApi;

beforeEach(async () => {
  api = testApi({ gapsAgeOutMs: 7 * 86_400_000 });
  await api.say('bus-1', { counter: 1, data: { speedMph: 1 } });
  await api.say('bus-2', { counter: 1 });
  await api.say('bus-2', { counter: 4 });
  await api.say('bus-3', { counter: 1 });
});
afterEach(() => api.close());

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  api.ask(`/v1/devices/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const acknowledge = (device: string, trouble: string, more: object = {}, headers = {}) =>
  post(`${device}/acknowledgements`, { trouble, note: 'known', actor: 'ann', ...more }, headers);
const retire = (device: string, more: object = {}, headers = {}) =>
  post(`${device}/retirement`, { reason: 'sold', actor: 'ann', ...more }, headers);
const listed = async (query: string): Promise<string[]> =>
  (await api.ask(`/v1/devices?${query}`)).body.devices.map(({ deviceId }: { deviceId: string }) => deviceId);
const pass = async (ms: number) => {
  await api.clock.advance(ms);
  await api.ask('/v1/devices?limit=1');
  await api.clock.advance(2_000);
};
const HOUR_MS = 3_600_000;
const storeOf = ({ services: { annotations } }: TestApi) => {
  if (annotations === undefined) throw new TypeError('the API has no annotations');
  return annotations;
};
const unraised = async () => {
  throw new Error('the revision could not be raised');
};
/** Writes of annotations fail after they are stored and before readers of the fleet hear of it, until the returned function is called. */
const leaveHalfWritten = (): (() => void) => {
  const store = storeOf(api);
  const { write, revision } = store;
  const halfWritten: typeof store.write = async (...given) => {
    await write(...given);
    await unraised();
  };
  Object.assign(store, { write: halfWritten });
  return () => Object.assign(store, { write, revision: async () => (await revision()) - 1 });
};

describe('POST /v1/devices/{deviceId}/acknowledgements', () => {
  test('keeps who knows of a trouble, when and why, and lists tell those that nobody knows of', async () => {
    const { status, body } = await acknowledge('bus-2', 'gaps');
    const acknowledgement = { by: 'ann', time: '2026-11-02T08:00:00.000Z', note: 'known' };
    expect([status, body]).toEqual([200, { deviceId: 'bus-2', trouble: 'gaps', acknowledgement }]);
    await pass(HOUR_MS);
    expect(await listed('trouble=any&acknowledged=false')).toEqual(['bus-1', 'bus-2', 'bus-3']);
    expect(await listed('trouble=gaps&acknowledged=false')).toEqual([]);
    expect(await listed('trouble=gaps&acknowledged=true')).toEqual(['bus-2']);
    expect((await api.ask('/v1/fleet/summary')).body).toMatchObject({ inTrouble: 3, unacknowledged: 3 });
    await acknowledge('bus-2', 'silent');
    await pass(1_000);
    expect(await listed('acknowledged=true')).toEqual(['bus-2']);
    expect((await api.ask('/v1/fleet/summary')).body).toMatchObject({ inTrouble: 3, unacknowledged: 2 });
    const [one] = (await api.ask('/v1/devices?ids=bus-2&fields=troubles,acknowledged')).body.devices;
    expect(one).toMatchObject({
      acknowledged: ['silent', 'gaps'],
      troubles: [
        { trouble: 'silent', acknowledgement: { by: 'ann' } },
        { trouble: 'gaps', acknowledgement },
      ],
    });
    const single = (await api.ask('/v1/devices/bus-2?fields=troubles,acknowledged')).body;
    expect(single.acknowledged).toEqual(one.acknowledged);
    expect(single.troubles[1].acknowledgement).toEqual(acknowledgement);
  });

  test('ends when the device is heard again, and does not cover its next silence', async () => {
    await pass(HOUR_MS);
    await acknowledge('bus-1', 'silent');
    await pass(1_000);
    expect(await listed('trouble=silent&acknowledged=false')).toEqual(['bus-2', 'bus-3']);
    await api.say('bus-1', { counter: 2 });
    await pass(HOUR_MS);
    expect(await listed('trouble=silent&acknowledged=false')).toEqual(['bus-1', 'bus-2', 'bus-3']);
    const { troubles } = (await api.ask('/v1/devices/bus-1?fields=troubles')).body;
    expect(troubles).toMatchObject([{ trouble: 'silent', acknowledgement: null }]);
  });

  test('holds while gaps are filled, and ends when another opens', async () => {
    await acknowledge('bus-2', 'gaps');
    await api.say('bus-2', { counter: 3 });
    expect((await api.ask('/v1/devices/bus-2')).body).toMatchObject({
      counts: { gaps: 1 },
      acknowledged: ['gaps'],
    });
    await api.say('bus-2', { counter: 6 });
    expect((await api.ask('/v1/devices/bus-2')).body.acknowledged).toBeUndefined();
  });

  test('ends when its gaps are filled and as many others open', async () => {
    await acknowledge('bus-2', 'gaps');
    await api.say('bus-2', { counter: 2 });
    await api.say('bus-2', { counter: 3 });
    await api.say('bus-2', { counter: 7 });
    const { counts, acknowledged } = (await api.ask('/v1/devices/bus-2')).body;
    expect([counts.gaps, acknowledged]).toEqual([2, undefined]);
  });

  test('is refused for a trouble that the device does not have, and for an unknown device', async () => {
    expect((await acknowledge('bus-1', 'gaps')).body).toMatchObject({ code: 'NO_SUCH_TROUBLE', status: 409 });
    expect((await acknowledge('nobody', 'gaps')).body.code).toBe('DEVICE_NOT_FOUND');
    expect((await post('bus-2/acknowledgements', { trouble: 'gaps', note: 'x' })).body.code).toBe('BAD_BODY');
  });

  test('is taken back', async () => {
    await acknowledge('bus-2', 'gaps');
    const { body } = await acknowledge('bus-2', 'gaps', { withdraw: true });
    expect(body.acknowledgement).toBeNull();
    expect((await api.ask('/v1/devices/bus-2')).body.acknowledged).toBeUndefined();
  });

  test('reaches lists with its repetition under the same key where the first attempt was half written', async () => {
    const key = { 'idempotency-key': 'a-1' };
    await pass(1_000);
    const mend = leaveHalfWritten();
    expect((await acknowledge('bus-2', 'gaps', {}, key)).status).toBe(500);
    mend();
    await pass(1_000);
    expect(await listed('trouble=gaps&acknowledged=false')).toEqual(['bus-2']);
    const { body } = await acknowledge('bus-2', 'gaps', {}, key);
    expect(body.acknowledgement).toMatchObject({ by: 'ann', note: 'known' });
    await pass(1_000);
    expect(await listed('trouble=gaps&acknowledged=false')).toEqual([]);
  });

  test('keeps what the first request under a key did when the same comes again, and refuses another under it', async () => {
    const key = { 'idempotency-key': 'a-1' };
    const { acknowledgement } = (await acknowledge('bus-2', 'gaps', {}, key)).body;
    await pass(HOUR_MS);
    expect((await acknowledge('bus-2', 'gaps', {}, key)).body.acknowledgement).toEqual(acknowledgement);
    const other = await acknowledge('bus-2', 'gaps', { note: 'another' }, key);
    expect(other.body).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', status: 422 });
    // One that has ended is not put up again by its repetition.
    await api.say('bus-2', { counter: 9 });
    expect((await acknowledge('bus-2', 'gaps', {}, key)).body.acknowledgement).toBeNull();
  });

  test('changes the entity tag of the device', async () => {
    const before = (await api.ask('/v1/devices/bus-2')).headers.get('etag') ?? '';
    const known = () => api.ask('/v1/devices/bus-2', { headers: { 'if-none-match': before } });
    expect((await known()).status).toBe(304);
    await acknowledge('bus-2', 'gaps');
    expect((await known()).status).toBe(200);
  });
});

describe('POST /v1/devices/{deviceId}/retirement', () => {
  test('takes a device out of lists and counts, where it is shown when asked for', async () => {
    const { status, body } = await retire('bus-1');
    expect([status, body]).toMatchObject([
      200,
      { deviceId: 'bus-1', retired: true, preview: false, retirement: { by: 'ann', reason: 'sold' } },
    ]);
    await pass(1_000);
    expect(await listed('')).toEqual(['bus-2', 'bus-3']);
    expect(await listed('retired=true')).toEqual(['bus-1']);
    expect(await listed('retired=any')).toEqual(['bus-1', 'bus-2', 'bus-3']);
    expect((await api.ask('/v1/fleet/summary')).body).toMatchObject({ total: 2, retired: 1 });
    expect((await api.ask('/v1/fleet/aggregates?attribute=speedMph')).body.total.count).toBe(0);
    const single = (await api.ask('/v1/devices/bus-1?fields=*,retirement')).body;
    expect(single).toMatchObject({ retired: true, retirement: { by: 'ann', reason: 'sold' } });
  });

  test('is over with the next event of the device', async () => {
    await retire('bus-1');
    await pass(1_000);
    await api.say('bus-1', { counter: 1 });
    await pass(1_000);
    expect(await listed('')).not.toContain('bus-1');
    await api.say('bus-1', { counter: 2 });
    await pass(1_000);
    expect(await listed('')).toContain('bus-1');
    expect((await api.ask('/v1/devices/bus-1')).body.retired).toBeUndefined();
  });

  test('is previewed without any change', async () => {
    expect((await retire('bus-1', { preview: true })).body).toMatchObject({ retired: true, preview: true });
    expect((await api.ask('/v1/devices/bus-1')).body.retired).toBeUndefined();
  });

  test('is taken back', async () => {
    await retire('bus-1');
    expect((await retire('bus-1', { withdraw: true })).body).toMatchObject({
      retired: false,
      retirement: null,
    });
    await pass(1_000);
    expect(await listed('')).toContain('bus-1');
  });

  test('does not retire a device that has come back when the same request arrives again', async () => {
    const key = { 'idempotency-key': 'r-1' };
    await retire('bus-1', {}, key);
    await api.say('bus-1', { counter: 2 });
    expect((await retire('bus-1', {}, key)).body).toMatchObject({ retired: false });
    expect((await retire('bus-1', { reason: 'scrapped' }, key)).body.code).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  test('reaches lists with its repetition where the first attempt was half written', async () => {
    await pass(1_000);
    const mend = leaveHalfWritten();
    expect((await retire('bus-1')).status).toBe(500);
    mend();
    await pass(1_000);
    expect(await listed('')).toContain('bus-1');
    expect((await retire('bus-1')).body).toMatchObject({ retired: true });
    await pass(1_000);
    expect(await listed('')).not.toContain('bus-1');
  });

  test('reaches update streams: the device leaves them, and comes back', async () => {
    const app = createApp(api.services, loopbackAccess());
    const response = await app.request('http://127.0.0.1/v1/updates', { headers: { host: '127.0.0.1' } });
    if (response.body === null) throw new Error('the answer has no body');
    const stream = eventReader(response.body);
    await settled();
    stream.take();
    await retire('bus-1');
    await api.clock.advance(1_100);
    expect(stream.take()).toMatchObject([
      { event: 'leave', data: { deviceIds: ['bus-1'] } },
      { event: 'sync' },
    ]);
    await acknowledge('bus-2', 'gaps');
    await api.say('bus-1', { counter: 2 });
    await api.clock.advance(1_100);
    const told = stream.take().filter(({ event }) => event === 'device');
    expect(told.map(({ data }) => [data.deviceId, data.acknowledged]).sort()).toEqual([
      ['bus-1', undefined],
      ['bus-2', ['gaps']],
    ]);
    await stream.cancel();
  });
});

describe('annotations that cannot be read', () => {
  test('hide no state: the device is answered without them, and the log says so', async () => {
    await retire('bus-1');
    const lines: string[] = [];
    Object.assign(api.services, {
      logger: createLogger('test', 'warn', { write: (line) => lines.push(line) }),
    });
    Object.assign(storeOf(api), { read: async () => Promise.reject(new Error('there is no such table')) });
    const { status, body } = await api.ask('/v1/devices/bus-1?fields=*,troubles,retirement');
    expect([status, body]).toMatchObject([200, { deviceId: 'bus-1', retirement: null, troubles: [] }]);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { deviceId: 'bus-1', msg: 'annotations not read', error: { message: 'there is no such table' } },
    ]);
  });
});

describe('gaps', () => {
  test('are no trouble when they are older than the setting', async () => {
    await pass(8 * 24 * HOUR_MS);
    await api.say('bus-2', { counter: 5 });
    await pass(1_000);
    expect(await listed('trouble=gaps')).toEqual([]);
    const single = (await api.ask('/v1/devices/bus-2?fields=*,troubles')).body;
    expect(single).toMatchObject({ gapsAgedOut: true, troubles: [] });
    expect((await api.ask('/v1/fleet/summary')).body).toMatchObject({
      byTrouble: { gaps: 0 },
      gapsAgeOutMs: 7 * 86_400_000,
    });
  });

  test('are trouble again when another opens', async () => {
    await pass(8 * 24 * HOUR_MS);
    await api.say('bus-2', { counter: 9 });
    await pass(1_000);
    expect(await listed('trouble=gaps')).toEqual(['bus-2']);
    expect((await api.ask('/v1/devices/bus-2')).body.gapsAgedOut).toBeUndefined();
  });
});
