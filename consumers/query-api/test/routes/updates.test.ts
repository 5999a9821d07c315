import { eventReader, type ServerEvent, settled } from '@twinstream/test-kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loopbackAccess } from '../../src/access.ts';
import { createApp } from '../../src/app.ts';
import { checkUpdate } from '../check-update.ts';
import { memoryServices } from '../memory-services.ts';
import { type TestApi, testApi } from '../test-api.ts';

let api: TestApi;
const readers: ReturnType<typeof eventReader>[] = [];

beforeEach(async () => {
  api = testApi();
  await api.say('bus-1', { counter: 1, data: { site: 'north', n: 1 } });
  await api.say('bus-2', { counter: 1, data: { site: 'south', n: 1 } });
});
afterEach(async () => {
  for (const reader of readers.splice(0)) await reader.cancel();
  await api.close();
});

/** Opens a stream on any app over the same tables. */
async function open(query = '', headers: Record<string, string> = {}, services = api.services) {
  const app = createApp(services, loopbackAccess());
  const response = await app.request(`http://127.0.0.1/v1/updates?${query}`, {
    headers: { host: '127.0.0.1', ...headers },
  });
  if (response.body === null) throw new Error('the answer has no body');
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  const reader = eventReader(response.body);
  readers.push(reader);
  await settled();
  return reader;
}

const named = (events: readonly ServerEvent[], event: string) => events.filter((one) => one.event === event);
const devices = (events: readonly ServerEvent[]) =>
  named(events, 'device').map(({ data }) => [data.deviceId, data.attributes?.n]);
const lastId = (events: readonly ServerEvent[]) => named(events, 'sync').at(-1)?.id ?? '';

describe('GET /v1/updates', () => {
  test('begins with where it stands, and tells each change once', async () => {
    const stream = await open();
    expect(stream.take().map(({ event }) => event)).toEqual(['sync']);
    await api.say('bus-1', { counter: 2, data: { n: 2 } });
    await api.clock.advance(1_100);
    const events = stream.take();
    expect(events.map(({ event }) => event)).toEqual(['device', 'sync']);
    expect(events[0]?.data).toEqual((await api.ask('/v1/devices/bus-1')).body);
    await api.clock.advance(3_000);
    expect(stream.take()).toEqual([]);
  });

  test('sends messages as the contract has them', async () => {
    const stream = await open('site=north&snapshot=true');
    await api.say('bus-1', { counter: 2, data: { site: 'south' } });
    await api.clock.advance(1_100);
    const events = stream.take();
    expect(new Set(events.map(({ event }) => event))).toEqual(new Set(['device', 'leave', 'sync']));
    for (const event of events) checkUpdate(event);
  });

  test('sends the last of several changes of a device', async () => {
    const stream = await open();
    stream.take();
    for (const counter of [2, 3, 4]) await api.say('bus-1', { counter, data: { n: counter } });
    await api.say('bus-2', { counter: 2, data: { n: 2 } });
    await api.clock.advance(1_100);
    expect(devices(stream.take()).sort()).toEqual([
      ['bus-1', 4],
      ['bus-2', 2],
    ]);
  });

  test('tells a client of its own devices alone, and of those that are no longer', async () => {
    const stream = await open('site=north');
    stream.take();
    await api.say('bus-2', { counter: 2, data: { n: 2 } });
    await api.clock.advance(1_100);
    expect(stream.take()).toEqual([]);
    await api.say('bus-2', { counter: 3, data: { site: 'north', n: 3 } });
    await api.clock.advance(1_100);
    expect(devices(stream.take())).toEqual([['bus-2', 3]]);
    await api.say('bus-2', { counter: 4, data: { site: 'south', n: 4 } });
    await api.clock.advance(1_100);
    expect(named(stream.take(), 'leave').map(({ data }) => data)).toEqual([{ deviceIds: ['bus-2'] }]);
    await api.say('bus-2', { counter: 5, data: { n: 5 } });
    await api.clock.advance(1_100);
    expect(stream.take()).toEqual([]);
  });

  test('tells that devices have gone stale and offline, though nothing came', async () => {
    const stream = await open('liveness=stale&fields=liveness');
    // Liveness is measured up to what is known to be processed, which is looked at every two seconds.
    await api.clock.advance(2 * 60_000 + 4_000);
    expect(named(stream.take(), 'device').map(({ data }) => data)).toEqual([
      { deviceId: 'bus-1', liveness: 'stale' },
      { deviceId: 'bus-2', liveness: 'stale' },
    ]);
    await api.clock.advance(13 * 60_000);
    expect(named(stream.take(), 'leave').map(({ data }) => data)).toEqual([
      { deviceIds: ['bus-1', 'bus-2'] },
    ]);
  });

  test('sends all devices first where a snapshot is asked for', async () => {
    const stream = await open('snapshot=true&site=north');
    const events = stream.take();
    expect([devices(events), events.at(-1)?.event]).toEqual([[['bus-1', 1]], 'sync']);
  });

  test('says that it is alive while nothing happens', async () => {
    const stream = await open();
    stream.take();
    await api.clock.advance(31_000);
    const beats = named(stream.take(), 'sync');
    expect(beats.length).toBeGreaterThanOrEqual(2);
    expect(beats.at(-1)?.data.asOf > '2026-11-02T08:00:20').toBe(true);
  });

  test('goes on from the last sync that a client has seen', async () => {
    const first = await open();
    await api.say('bus-1', { counter: 2, data: { n: 2 } });
    await api.clock.advance(1_100);
    const id = lastId(first.take());
    await first.cancel();
    await api.say('bus-2', { counter: 2, data: { n: 2 } });
    await api.clock.advance(1_100);
    const second = await open('', { 'last-event-id': id });
    expect(devices(second.take())).toEqual([['bus-2', 2]]);
  });

  test('goes on in another process over the same tables, as after a restart', async () => {
    const first = await open();
    const id = lastId(first.take());
    await api.say('bus-1', { counter: 2, data: { n: 2 } });
    await api.services.fleet.close();
    const restarted = memoryServices(api.pipeline, { clock: api.clock });
    try {
      const second = await open('', { 'last-event-id': id }, restarted);
      expect(devices(second.take())).toEqual([['bus-1', 2]]);
      await api.say('bus-2', { counter: 2, data: { n: 2 } });
      await api.clock.advance(2_100);
      expect(devices(second.take())).toEqual([['bus-2', 2]]);
    } finally {
      await restarted.fleet.close();
    }
  });

  test('misses nothing that the projector had not finished when the client left', async () => {
    const release = api.pipeline.hold();
    await api.say('bus-1', { counter: 2, data: { n: 2 } });
    const first = await open();
    await api.clock.advance(1_100);
    const id = lastId(first.take());
    await first.cancel();
    await release();
    await api.clock.advance(1_100);
    const second = await open('', { 'last-event-id': id });
    expect(devices(second.take())).toEqual([['bus-1', 2]]);
  });

  test('goes on behind a list, by the id that the list gives', async () => {
    const { lastEventId } = (await api.ask('/v1/devices')).body;
    await api.say('bus-2', { counter: 2, data: { n: 2 } });
    await api.clock.advance(1_100);
    const stream = await open(`lastEventId=${lastEventId}`);
    expect(devices(stream.take())).toEqual([['bus-2', 2]]);
  });

  test('names devices that left the filter while the client was away', async () => {
    const first = await open('site=south');
    const id = lastId(first.take());
    await first.cancel();
    await api.say('bus-2', { counter: 2, data: { site: 'north' } });
    await api.clock.advance(1_100);
    const second = await open('site=south', { 'last-event-id': id });
    expect(named(second.take(), 'leave').map(({ data }) => data)).toEqual([{ deviceIds: ['bus-2'] }]);
  });

  test('tells of devices that went stale while the client was away', async () => {
    const first = await open();
    const id = lastId(first.take());
    await first.cancel();
    await api.clock.advance(3 * 60_000);
    const second = await open('fields=liveness', { 'last-event-id': id });
    await api.clock.advance(2_100);
    expect(new Set(named(second.take(), 'device').map(({ data }) => data.deviceId))).toEqual(
      new Set(['bus-1', 'bus-2']),
    );
  });

  test.each(['abc', 'e30', 'W10', Buffer.from('[1,[["s","x"]]]').toString('base64url')])(
    'refuses %j as the id of an event',
    async (token) => {
      const inQuery = await api.ask(`/v1/updates?lastEventId=${token}`);
      expect([inQuery.status, inQuery.body.parameter]).toEqual([400, 'lastEventId']);
      const inHeader = await api.ask('/v1/updates', { headers: { 'last-event-id': token } });
      expect([inHeader.status, inHeader.body.parameter]).toEqual([400, 'Last-Event-ID']);
    },
  );

  test('takes as many clients as it may, and a client that goes makes room', async () => {
    await api.close();
    api = testApi({ clientsMax: 2 });
    const first = await open();
    await open();
    const refused = await api.ask('/v1/updates');
    expect([refused.status, refused.body.code]).toEqual([429, 'TOO_MANY_STREAMS']);
    await first.cancel();
    await open();
  });

  test('opens no stream for a HEAD request', async () => {
    await api.close();
    api = testApi({ clientsMax: 1 });
    const { status, headers } = await api.ask('/v1/updates', { method: 'HEAD' });
    expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    await open();
  });

  test('ends after what there is where a driver holds no stream open', async () => {
    await api.close();
    api = testApi({ hints: false, holdMs: 0 });
    await api.say('bus-1', { counter: 1, data: { n: 1 } });
    const first = await open('snapshot=true');
    const events = first.take();
    expect([devices(events), first.hasEnded()]).toEqual([[['bus-1', 1]], true]);
    await api.say('bus-1', { counter: 2, data: { n: 2 } });
    await api.clock.advance(2_000);
    const second = await open('', { 'last-event-id': lastId(events) });
    expect([devices(second.take()), second.hasEnded()]).toEqual([[['bus-1', 2]], true]);
  });
});
