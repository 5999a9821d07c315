import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestApi, testApi } from '../test-api.ts';

let api: TestApi;

beforeEach(async () => {
  api = testApi();
  await api.say('bus-1', {
    type: 'connected',
    counter: 1,
    data: { site: 'north', type: 'bus', firmware: '1' },
  });
  await api.say('bus-2', { counter: 1, data: { site: 'south', type: 'bus' } });
  await api.say('tram-1', { type: 'disconnected', counter: 1, data: { site: 'North', type: 'tram' } });
  await api.say('tram-2', { counter: 1 });
  await api.say('tram-2', { counter: 9 });
});
afterEach(() => api.close());

const ids = (body: { devices: { deviceId: string }[] }) => body.devices.map(({ deviceId }) => deviceId);

/** All pages of a list. */
async function all(query: string, limit: number) {
  const found: string[] = [];
  let cursor = '';
  for (let page = 0; page < 20; page += 1) {
    const { body } = await api.ask(`/v1/devices?${query}&limit=${limit}${cursor}`);
    found.push(...ids(body));
    if (body.cursor === undefined) return found;
    cursor = `&cursor=${body.cursor}`;
  }
  throw new Error('the list does not end');
}

describe('GET /v1/devices', () => {
  test('lists all devices by id, and says how fresh that is', async () => {
    const { body } = await api.ask('/v1/devices');
    expect(ids(body)).toEqual(['bus-1', 'bus-2', 'tram-1', 'tram-2']);
    expect(body).toMatchObject({ total: 4, asOf: '2026-11-02T08:00:00.000Z' });
    expect(body.cursor).toBeUndefined();
  });

  test('shows a device as a single read does', async () => {
    const listed = (await api.ask('/v1/devices?limit=1')).body.devices[0];
    expect(listed).toEqual((await api.ask('/v1/devices/bus-1')).body);
  });

  test.each([
    ['status=connected', ['bus-1']],
    ['status=disconnected', ['tram-1']],
    ['site=north', ['bus-1']],
    ['type=bus', ['bus-1', 'bus-2']],
    ['firmware=1', ['bus-1']],
    ['q=NORTH', ['bus-1', 'tram-1']],
    ['q=am-', ['tram-1', 'tram-2']],
    ['type=bus&site=south', ['bus-2']],
    ['type=bus&status=disconnected', []],
    ['liveness=online', ['bus-1', 'bus-2', 'tram-2']],
    // It said that it disconnects.
    ['liveness=offline', ['tram-1']],
    ['trouble=gaps', ['tram-2']],
    ['trouble=any', ['tram-2']],
    ['trouble=none', ['bus-1', 'bus-2', 'tram-1']],
  ])('filters by %s', async (query, expected) => {
    const { body } = await api.ask(`/v1/devices?${query}`);
    expect([ids(body), body.total]).toEqual([expected, expected.length]);
  });

  test.each([
    ['attr.load=lt:20', ['a']],
    ['attr.load=le:20', ['a', 'b']],
    ['attr.load=gt:5&attr.load=lt:21', ['b']],
    ['attr.load=ge:20&attr.door=eq:open', ['b']],
    ['attr.load=5', ['a']],
    ['attr.load=5.0', ['a']],
    ['attr.door=open', ['a', 'b']],
    ['attr.door=in:ajar,closed', ['c']],
    ['attr.door=ne:open', ['c']],
    ['attr.on=true', ['a']],
    ['attr.on=ne:true', ['b']],
    ['attr.load=exists:false&q=', undefined],
    ['attr.on=exists:false&sort=deviceId', ['bus-1', 'bus-2', 'c', 'tram-1', 'tram-2']],
    ['attr.load=lt:many', ['c']],
    ['attr.load=lt:', []],
    ['attr.time=12:30', ['c']],
    ['attr.__proto__=exists:true', []],
    ['ids=c,a,none', ['a', 'c']],
    ['ids=a,b&attr.load=gt:5', ['b']],
  ])('filters by %s', async (query, expected) => {
    await api.say('a', { counter: 1, data: { load: 5, door: 'open', on: true } });
    await api.say('b', { counter: 1, data: { load: 20, door: 'open', on: false } });
    await api.say('c', { counter: 1, data: { load: 'full', door: 'ajar', time: '12:30' } });
    const { status, body } = await api.ask(`/v1/devices?${query}`);
    if (expected === undefined) expect(status).toBe(400);
    else expect(ids(body)).toEqual(expected);
  });

  test.each([
    ['attr.=5', 'attr'],
    ['attr.a=exists:maybe', 'attr'],
    ['attr=5', 'attr'],
    [Array.from({ length: 21 }, () => 'attr.a=lt:5').join('&'), 'attr'],
    [`ids=${Array.from({ length: 101 }, () => 'a').join(',')}`, 'ids'],
    ['ids=', 'ids'],
    ['ids=a,,b', 'ids'],
    ['sort=attributes.', 'sort'],
  ])('refuses %s', async (query, parameter) => {
    const { status, body } = await api.ask(`/v1/devices?${query}`);
    expect([status, body.code, body.parameter]).toEqual([400, 'BAD_PARAMETER', parameter]);
  });

  test.each([
    ['too many values', `in:${Array.from({ length: 101 }, () => 'a').join(',')}`, 'up to 100 values'],
    ['a long text', 'a'.repeat(1_025), 'up to 1024 characters'],
  ])('says what a condition may have where it has %s', async (_what, condition, bound) => {
    expect((await api.ask(`/v1/devices?attr.a=${condition}`)).body.detail).toContain(bound);
  });

  test('reads devices by ids with a comma, a slash or a tilde', async () => {
    for (const id of ['a,b', 'a/b', 'a~b', '..']) await api.say(id, { counter: 1 });
    const { body } = await api.ask('/v1/devices?ids=a~2b,a~1b,a~0b,~..');
    expect(ids(body)).toEqual(['..', 'a,b', 'a/b', 'a~b']);
  });

  test('sorts by an attribute: numbers before texts, devices without it last, page by page', async () => {
    const loads = { e: 30, a: 4, d: 'x', b: 'full', c: 12 };
    for (const [id, load] of Object.entries(loads)) await api.say(id, { counter: 1, data: { load } });
    const rest = ['bus-1', 'bus-2', 'tram-1', 'tram-2'];
    expect(await all('sort=attributes.load&order=asc', 2)).toEqual(['a', 'c', 'e', 'b', 'd', ...rest]);
    expect(await all('sort=attributes.load&order=desc', 2)).toEqual(['d', 'b', 'e', 'c', 'a', ...rest]);
  });

  test('pages a list that is sorted by long texts', async () => {
    for (const id of ['a', 'b', 'c']) await api.say(id, { counter: 1, data: { note: id.repeat(9_000) } });
    expect((await all('sort=attributes.note&order=desc', 1)).slice(0, 3)).toEqual(['c', 'b', 'a']);
  });

  describe('with numbers that no double holds', () => {
    const ENERGIES = {
      d: '10000000000000000001',
      b: '9007199254740993',
      a: 30,
      c: 9007199254740994,
      e: 'many',
    };
    beforeEach(async () => {
      for (const [id, energy] of Object.entries(ENERGIES))
        await api.say(id, { counter: 1, data: { energy } });
    });

    test.each([
      ['lt:40', ['a']],
      ['gt:40', ['b', 'c', 'd', 'e']],
      ['gt:9007199254740993', ['c', 'd', 'e']],
      ['le:9007199254740993', ['a', 'b']],
      ['eq:9007199254740993', ['b']],
      ['eq:9007199254740993.0', ['b']],
      ['eq:9007199254740994', ['c']],
      ['ne:30', ['b', 'c', 'd', 'e']],
      ['lt:1e400', ['a', 'b', 'c', 'd']],
      ['eq:30.000000000000000001', []],
      ['lt:%2B30.000000000000000001', ['a']],
      ['eq:many', ['e']],
    ])('filters by %s', async (condition, expected) => {
      expect(await all(`attr.energy=${condition}`, 9)).toEqual(expected);
    });

    test('sorts', async () => {
      const rest = ['bus-1', 'bus-2', 'tram-1', 'tram-2'];
      expect(await all('sort=attributes.energy', 2)).toEqual(['a', 'b', 'c', 'd', 'e', ...rest]);
      expect(await all('sort=attributes.energy&order=desc', 2)).toEqual(['e', 'd', 'c', 'b', 'a', ...rest]);
    });

    test('aggregates', async () => {
      const { total } = (await api.ask('/v1/fleet/aggregates?attribute=energy')).body;
      expect(total).toMatchObject({ count: 4, min: 30, max: 10_000_000_000_000_000_000 });
    });

    test('puts into buckets', async () => {
      const { buckets } = (
        await api.ask(
          '/v1/devices/b/series?attribute=energy&from=2026-11-02T07:59:30Z&to=2026-11-02T08:00:30Z',
        )
      ).body;
      expect(buckets).toMatchObject([{ value: 9007199254740992, count: 1 }]);
    });
  });

  test('counts and follows devices that meet a condition', async () => {
    await api.say('a', { counter: 1, data: { load: 5 } });
    expect((await api.ask('/v1/fleet/summary?attr.load=lt:20')).body.total).toBe(1);
  });

  test.each([1, 2, 3, 4])('walks through the fleet in pages of %d', async (limit) => {
    expect(await all('', limit)).toEqual(['bus-1', 'bus-2', 'tram-1', 'tram-2']);
  });

  test('ends a page early, with a cursor, before it is too large for a Lambda function to answer', async () => {
    const text = '"'.repeat(100_000);
    for (let number = 10; number < 34; number += 1)
      await api.say(`heavy-${number}`, { counter: 1, data: { text } });
    let cursor = '';
    const found: string[] = [];
    for (;;) {
      const { body } = await api.ask(`/v1/devices?q=heavy&limit=1000${cursor}`);
      expect(JSON.stringify(JSON.stringify(body)).length).toBeLessThan(6_000_000);
      found.push(...ids(body));
      if (body.cursor === undefined) break;
      cursor = `&cursor=${body.cursor}`;
    }
    expect(found).toEqual(Array.from({ length: 24 }, (_, index) => `heavy-${index + 10}`));
    // What is not asked for takes no room.
    expect((await api.ask('/v1/devices?q=heavy&limit=1000&fields=status')).body.cursor).toBeUndefined();
  });

  test('sorts by any column, what has no value last, equal values by id', async () => {
    expect(await all('sort=site&order=asc', 2)).toEqual(['tram-1', 'bus-1', 'bus-2', 'tram-2']);
    expect(await all('sort=site&order=desc', 2)).toEqual(['bus-2', 'bus-1', 'tram-1', 'tram-2']);
    expect(await all('sort=gaps&order=desc', 1)).toEqual(['tram-2', 'bus-1', 'bus-2', 'tram-1']);
    await api.clock.advance(5_000);
    await api.say('bus-2', { counter: 2 });
    await api.clock.advance(2_000);
    expect(await all('sort=lastArrivalTime&order=desc', 3)).toEqual(['bus-2', 'bus-1', 'tram-1', 'tram-2']);
  });

  test('goes on after the last device of a page, also where others have come meanwhile', async () => {
    const { body } = await api.ask('/v1/devices?limit=2');
    await api.say('aaa', { counter: 1 });
    await api.say('bus-3', { counter: 1 });
    await api.clock.advance(2_000);
    expect(ids((await api.ask(`/v1/devices?limit=9&cursor=${body.cursor}`)).body)).toEqual([
      'bus-3',
      'tram-1',
      'tram-2',
    ]);
  });

  test('names a cursor whose list is no longer kept; a cursor by id never expires', async () => {
    const [bySite, byId] = await Promise.all([
      api.ask('/v1/devices?sort=site&limit=1'),
      api.ask('/v1/devices?limit=1'),
    ]);
    await api.clock.advance(301_000);
    const expired = await api.ask(`/v1/devices?sort=site&limit=1&cursor=${bySite.body.cursor}`);
    expect([expired.status, expired.body.code]).toEqual([410, 'CURSOR_EXPIRED']);
    const next = await api.ask(`/v1/devices?limit=1&cursor=${byId.body.cursor}`);
    expect(ids(next.body)).toEqual(['bus-2']);
  });

  test('refuses a cursor of another query, and an invalid cursor', async () => {
    const { body } = await api.ask('/v1/devices?limit=1&type=bus');
    const bySite = (await api.ask('/v1/devices?sort=site&limit=1')).body.cursor;
    const [digest, [, list]] = JSON.parse(Buffer.from(bySite, 'base64url').toString());
    const forged = Buffer.from(JSON.stringify([digest, ['nobody', list]])).toString('base64url');
    for (const query of [
      `type=tram&cursor=${body.cursor}`,
      `type=bus&sort=site&cursor=${body.cursor}`,
      'cursor=abc',
      `cursor=${Buffer.from('["x",["bus-1"]]').toString('base64url')}`,
      `sort=site&limit=1&cursor=${forged}`,
    ]) {
      const { status, body: problem } = await api.ask(`/v1/devices?${query}`);
      expect([query, status, problem.code, problem.parameter]).toEqual([query, 400, 'BAD_CURSOR', 'cursor']);
    }
  });

  test.each([
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=1e2', 'limit'],
    ['limit=', 'limit'],
    ['limit=-1', 'limit'],
    ['status=on', 'status'],
    ['sort=password', 'sort'],
    ['order=up', 'order'],
    ['site=', 'site'],
    ['nonsense=1', 'nonsense'],
    ['type=bus&type=tram', 'type'],
    [`q=${'x'.repeat(257)}`, 'q'],
  ])('refuses %s and names the parameter', async (query, parameter) => {
    const { status, body } = await api.ask(`/v1/devices?${query}`);
    expect([status, body.code, body.parameter]).toEqual([400, 'BAD_PARAMETER', parameter]);
  });

  test('reports all faults of a request together', async () => {
    const { body } = await api.ask('/v1/devices?limit=0&status=on&nonsense=1');
    expect(body.faults.map((fault: { parameter: string }) => fault.parameter)).toEqual([
      'status',
      'limit',
      'nonsense',
    ]);
  });

  test('selects fields', async () => {
    const { body } = await api.ask('/v1/devices?fields=status,troubles&trouble=gaps');
    expect(body.devices).toEqual([
      {
        deviceId: 'tram-2',
        status: 'unknown',
        troubles: [
          {
            trouble: 'gaps',
            cause: 'not arrived, though later events have: 7 counted events',
            since: null,
            acknowledgement: null,
          },
        ],
      },
    ]);
  });

  describe('in other formats', () => {
    const askFor = (accept: string, query = '') => api.ask(`/v1/devices?${query}`, { headers: { accept } });

    test('one device a line, with the cursor in a header', async () => {
      const { headers, body } = await askFor('application/x-ndjson', 'limit=3');
      expect(headers.get('content-type')).toBe('application/x-ndjson');
      const lines = body.split('\n');
      expect(lines.at(-1)).toBe('');
      expect(lines.slice(0, -1).map((line: string) => JSON.parse(line).deviceId)).toEqual([
        'bus-1',
        'bus-2',
        'tram-1',
      ]);
      const rest = await askFor('application/x-ndjson', `cursor=${headers.get('next-cursor')}`);
      expect(JSON.parse(rest.body).deviceId).toBe('tram-2');
      expect(rest.headers.get('next-cursor')).toBeNull();
    });

    test('tables of the same columns on all pages, where attributes are named', async () => {
      await api.say('bus-2', { counter: 2, data: { load: 5 } });
      await api.clock.advance(2_000);
      const fields = 'fields=status,attributes.load,attributes.never';
      const headers = await Promise.all(
        ['bus-1', 'bus-2'].map(
          async (id) => (await askFor('text/csv', `${fields}&ids=${id}`)).body.split('\r\n')[0],
        ),
      );
      const columns = 'deviceId,status,attributes.load,attributes.never';
      expect(headers).toEqual([columns, columns]);
      const none = await askFor('text/csv', 'fields=attributes.load&ids=nobody');
      expect(none.body).toBe('deviceId,attributes.load\r\n');
    });

    test('a table, whose cells are quoted where they must be', async () => {
      await api.say('bus-2', { counter: 2, data: { note: 'a, "b"\nc', place: { x: 1 }, load: 5 } });
      await api.clock.advance(2_000);
      const fields = 'fields=status,attributes.note,attributes.place,attributes.load';
      const { headers, body } = await askFor('text/csv', `${fields}&ids=bus-1,bus-2`);
      expect(headers.get('content-type')).toBe('text/csv');
      expect(body).toBe(
        [
          'deviceId,status,attributes.load,attributes.note,attributes.place',
          'bus-1,connected,,,',
          'bus-2,unknown,5,"a, ""b""\nc","{""x"":1}"',
          '',
        ].join('\r\n'),
      );
    });

    test.each([
      ['*/*', 'application/json'],
      ['text/html,*/*;q=0.8', 'application/json'],
      ['text/csv;q=0.5, application/json', 'application/json'],
      ['application/json;q=0.2, text/csv;q=0.5', 'text/csv'],
      ['text/csv;q=0', 'application/json'],
    ])('answers Accept: %s with %s', async (accept, expected) => {
      expect((await askFor(accept)).headers.get('content-type')).toBe(expected);
    });

    test('a history, one event a line', async () => {
      const { body } = await api.ask('/v1/devices/tram-2/events', {
        headers: { accept: 'application/x-ndjson' },
      });
      const lines = body.trimEnd().split('\n');
      expect(lines.map((line: string) => JSON.parse(line).counter)).toEqual([1, 9]);
    });
  });

  test('takes other methods for what they are', async () => {
    const { status, headers } = await api.ask('/v1/devices', { method: 'DELETE' });
    expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});
