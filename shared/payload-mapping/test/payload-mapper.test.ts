import { hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { keyOf } from '@twinstream/device-model';
import { encode } from 'cbor-x';
import { describe, expect, test } from 'vitest';
import { ARRIVAL_TIME, eventsOf, mapperOf, mapText, record } from './mapping-builder.ts';

const FLAT = `
language: 1
mapping: flat
version: 3
rules:
  - name: heartbeat
    when: [{ value: kind, equals: ping }]
    ignore: a heartbeat says nothing
  - name: telemetry
    when: [{ value: device_id, exists: true }]
    event:
      deviceId: device_id
      time: { path: ts, steps: [{ time: { unit: seconds } }] }
      data:
        path: $payload
        steps: [{ drop: [device_id, ts] }]
`;

describe('a mapping', () => {
  test('turns a flat object into an event that names the mapping and its version', () => {
    const { events, rejections, mapping } = mapText(FLAT, { device_id: 'a1', ts: 1767225600, temp: 21.5 });
    expect(rejections).toEqual([]);
    expect(mapping).toEqual({ name: 'flat', version: 3, rule: 'telemetry', isMany: false });
    expect(events).toEqual([
      {
        item: 0,
        event: {
          v: 1,
          deviceId: 'a1',
          type: 'reported',
          time: '2026-01-01T00:00:00.000Z',
          data: { temp: 21.5 },
        },
        text: '{"v":1,"deviceId":"a1","type":"reported","time":"2026-01-01T00:00:00.000Z","mapping":{"name":"flat","version":3},"data":{"temp":21.5}}',
      },
    ]);
  });

  test('takes the first rule that matches, and ignores what a rule ignores', () => {
    expect(mapText(FLAT, { kind: 'ping', device_id: 'a1' })).toMatchObject({
      events: [],
      rejections: [],
      ignored: 1,
      mapping: { rule: 'heartbeat' },
    });
  });

  test('rejects by name what no rule matches', () => {
    expect(mapText(FLAT, { other: 1 }).rejections).toMatchObject([{ rejected: 'no-mapping', at: '' }]);
  });

  test('rejects a value that is missing or cannot be converted, and names the place in the document', () => {
    expect(mapText(FLAT, { device_id: 'a1', ts: 'soon' }).rejections).toEqual([
      {
        item: 0,
        rejected: 'unmapped-value',
        at: 'rules.telemetry.event.time.steps[0].time',
        detail: 'rules.telemetry.event.time.steps[0].time: not a time',
      },
    ]);
    expect(mapText(FLAT, { device_id: 'a1' }).rejections).toMatchObject([
      { at: 'rules.telemetry.event.time', detail: 'rules.telemetry.event.time: missing' },
    ]);
  });

  test('rejects what is not a valid event, and names the member', () => {
    const { rejections } = mapText(FLAT, { device_id: 'x'.repeat(2_000), ts: 1767225600 });
    expect(rejections).toMatchObject([
      { rejected: 'invalid-device-id', at: 'rules.telemetry.event.deviceId' },
    ]);
  });

  test("takes events of this project's own format beside it", () => {
    const own = '{"v":1,"deviceId":"a1","type":"reported","time":"2026-01-01T00:00:00Z","data":{"x":1}}';
    const mapped = mapperOf(FLAT).map(record(Buffer.from(own)));
    expect(mapped).toMatchObject({ events: [{ item: 0, text: own }], rejections: [] });
    expect(mapped.mapping).toBeUndefined();
    const reordered = Buffer.from(
      '{"deviceId":"a1","v":1,"type":"reported","time":"2026-01-01T00:00:00Z","data":{}}',
    );
    for (const format of ['json', 'cbor']) {
      const mapper = mapperOf(FLAT.replace('version: 3', `version: 3\nformat: ${format}`));
      expect(mapper.map(record(reordered)).events).toMatchObject([{ text: reordered.toString() }]);
    }
  });

  test('rejects an invalid event of the own format as what it is, and no other that has a deviceId', () => {
    const own = { v: 1, deviceId: 'a1', type: 'reported', time: 'now', data: {} };
    expect(mapText(FLAT, own).rejections).toMatchObject([{ rejected: 'invalid-time' }]);
    expect(mapText(FLAT, { deviceId: 'a1' }).rejections).toMatchObject([{ rejected: 'no-mapping' }]);
  });

  test('keeps numbers that a double does not hold in the digits of the device', () => {
    const bytes = Buffer.from(
      '{"device_id":12345678901234567890,"ts":1767225600,"total":98765432109876543210,"x":1}',
    );
    const [event] = mapperOf(FLAT).map(record(bytes)).events;
    expect(event?.event.deviceId).toBe('12345678901234567890');
    expect(event?.text).toContain('"total":98765432109876543210');
    expect(event?.event.data).toEqual({ total: '98765432109876543210', x: 1 });
  });
});

test.each([
  ['{ value: n, equals: "9007199254740993" }', '9007199254740993', true],
  ['{ value: n, equals: "9007199254740993" }', '9007199254740992', false],
  ['{ value: n, in: [1, "0.1234567890123456789"] }', '0.1234567890123456789', true],
  ['{ value: n, equals: 0 }', '-0', true],
  ['{ value: n, equals: [0, { a: 1 }] }', '[-0,{"a":1}]', true],
  ['{ value: n, equals: [0, { a: 1 }] }', '[-0,{"a":1,"b":2}]', false],
  ['{ value: n, equals: { a: ["9007199254740993"] } }', '{"a":[9007199254740993]}', true],
  ['{ value: n, equals: 1 }', '"1"', false],
])('the condition %s of %s is %s', (condition, json, holds) => {
  const text = `{language: 1, mapping: m, version: 1, rules: [{name: r, when: [${condition}], event: {deviceId: {const: d}}}]}`;
  expect(mapperOf(text).map(record(Buffer.from(`{"n":${json}}`))).events).toHaveLength(holds ? 1 : 0);
});

describe('the format of the bytes', () => {
  const withFormat = (format: string) => FLAT.replace('version: 3', `version: 3\n${format}`);
  const flat = { device_id: 'a1', ts: 1767225600, temp: 21.5 };

  test('may be several lines of JSON in one record, each of which is an item', () => {
    const lines = `${JSON.stringify(flat)}\n\n{"other":1}\n${JSON.stringify({ ...flat, device_id: 'a2' })}\n`;
    const { events, rejections } = mapperOf(withFormat('format: ndjson')).map(record(Buffer.from(lines)));
    expect(events.map(({ item, event }) => [item, event.deviceId])).toEqual([
      [0, 'a1'],
      [2, 'a2'],
    ]);
    expect(rejections).toMatchObject([{ item: 1, rejected: 'no-mapping' }]);
  });

  test('may be CBOR, whose byte strings are base64 and whose 64-bit numbers keep their digits', () => {
    const bytes = encode({ ...flat, raw: Buffer.from([1, 2]), total: 2n ** 60n + 1n });
    const { events } = mapperOf(withFormat('format: cbor')).map(record(bytes));
    expect(events[0]?.event.data).toMatchObject({ temp: 21.5, raw: 'AQI=' });
    expect(events[0]?.text).toContain('"total":1152921504606846977');
  });

  test('may be compressed where the mapping says so', () => {
    const bytes = gzipSync(JSON.stringify(flat));
    expect(eventsOf(withFormat('gzip: true'), bytes)).toHaveLength(1);
    expect(mapperOf(FLAT).map(record(bytes)).rejections).toMatchObject([
      { rejected: 'undecodable-payload', detail: 'the bytes are not json' },
    ]);
  });

  test('is bounded after decompression', () => {
    const bytes = gzipSync(Buffer.alloc(5 * 1024 * 1024, ' '));
    expect(mapperOf(withFormat('gzip: true')).map(record(bytes)).rejections).toMatchObject([
      { rejected: 'undecodable-payload' },
    ]);
  });

  test('may be of a codec that the application brings', () => {
    const codecs = new Map([['pipes', { decode: (bytes: Uint8Array) => [pipes(bytes)] }]]);
    const pipes = (bytes: Uint8Array) => {
      const [id = '', ts = '', temp = ''] = Buffer.from(bytes).toString().split('|');
      return { device_id: id, ts, temp };
    };
    const mapper = mapperOf(withFormat('format: { codec: pipes }'), { codecs });
    expect(mapper.map(record(Buffer.from('a1|1767225600|21'))).events).toMatchObject([
      { event: { deviceId: 'a1', data: { temp: '21' } } },
    ]);
  });

  test('may not be nested without end', () => {
    const bytes = Buffer.from(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    expect(mapperOf(FLAT).map(record(bytes)).rejections).toMatchObject([{ rejected: 'undecodable-payload' }]);
  });
});

describe('one record of many events', () => {
  const READINGS = `
language: 1
mapping: readings
version: 1
rules:
  - name: readings
    each: { path: readings }
    event:
      deviceId: $payload.gateway
      time: { path: t, steps: [{ time: { unit: milliseconds } }] }
      data: { object: { level: l } }
`;

  test('numbers them by their places, and rejects one without the others', () => {
    const { events, rejections } = mapText(READINGS, {
      gateway: 'g1',
      readings: [{ t: 1767225600000, l: 1 }, { l: 2 }, { t: 1767225600002, l: 3 }],
    });
    expect(events.map(({ item, event }) => [item, event.time, event.data.level])).toEqual([
      [0, '2026-01-01T00:00:00.000Z', 1],
      [2, '2026-01-01T00:00:00.002Z', 3],
    ]);
    expect(rejections).toMatchObject([{ item: 1, at: 'rules.readings.event.time' }]);
  });

  test('merges consecutive items of one device and time where the mapping says so', () => {
    const merging = READINGS.replace('path: readings }', 'path: readings, merge: true }').replace(
      'object: { level: l }',
      'member: { name: n, value: l }',
    );
    const { events } = mapText(merging, {
      gateway: 'g1',
      readings: [
        { t: 1767225600000, n: 'a', l: 1 },
        { t: 1767225600000, n: 'b', l: 2 },
        { t: 1767225600001, n: 'a', l: 3 },
      ],
    });
    expect(events.map(({ item, event }) => [item, event.data])).toEqual([
      [0, { a: 1, b: 2 }],
      [2, { a: 3 }],
    ]);
  });

  test('merges no items that an ignored or a rejected one parts, and carries any name', () => {
    const merging = `
language: 1
mapping: parts
version: 1
rules:
  - name: parts
    each: { path: list, merge: true, carry: ["__proto__"], where: [{ value: skip, exists: false }] }
    event:
      deviceId: { path: d, default: d }
      data: { object: { n: { path: n, steps: [number] }, carried: '$carried["__proto__"]' } }
`;
    const { events, rejections, ignored } = mapperOf(merging).map(
      record(Buffer.from('{"list":[{"n":1},{"n":2,"__proto__":7},{"skip":1},{"n":3},{"n":"x"},{"n":4}]}')),
    );
    expect(events.map(({ item, text }) => [item, text.slice(text.indexOf('"data":') + 7, -1)])).toEqual([
      [0, '{"n":2,"carried":7}'],
      [3, '{"n":3,"carried":7}'],
      [5, '{"n":4,"carried":7}'],
    ]);
    expect({ rejected: rejections.length, ignored }).toEqual({ rejected: 1, ignored: 1 });
  });

  test('is rejected whole where it holds more than a record may', () => {
    const readings = Array.from({ length: 1_001 }, () => ({ t: 1, l: 1 }));
    expect(mapText(READINGS, { gateway: 'g1', readings })).toMatchObject({
      events: [],
      rejections: [{ rejected: 'mapping-limit' }],
    });
  });

  test('is bounded in the text that it becomes', () => {
    const growing = READINGS.replace('object: { level: l }', 'object: { all: $payload.blob }');
    const readings = Array.from({ length: 900 }, (_, t) => ({ t, l: 1 }));
    expect(mapText(growing, { gateway: 'g1', readings, blob: 'x'.repeat(100_000) })).toMatchObject({
      events: [],
      rejections: [{ rejected: 'mapping-limit' }],
    });
  });
});

describe('the identity of an event', () => {
  const withIdentity = (identity: string) =>
    FLAT.replace('      data:', `      identity: ${identity}\n      data:`);
  const payload = { device_id: 'a1', ts: 1767225600, boot: 3, seq: 7 };

  test('is its own session and counter where the source has both', () => {
    const [event] = mapText(withIdentity('{ session: boot, counter: seq }'), payload).events;
    expect(event?.event.identity).toEqual({ session: 3, counter: 7 });
    expect(event?.text).toContain('"session":3,"counter":7,"mapping"');
  });

  test('is left to be derived where the counter wraps, and the text keeps what the source counted', () => {
    const counter = '{ wrapping: seq, bits: 8, restart: [{ value: boot, equals: 3 }] }';
    const [event] = mapText(withIdentity(counter), payload).events;
    expect(event?.event.identity).toBeUndefined();
    expect(event?.sourceCounter).toEqual({ counter: 7, bits: 8, lateMax: 16, restart: true });
    expect(event?.text).toContain('"source":{"counter":7}');
  });

  test('is refused by name where a value is missing, unless it is optional', () => {
    const missing = { device_id: 'a1', ts: 1767225600 };
    expect(mapText(withIdentity('{ wrapping: seq }'), missing).rejections).toMatchObject([
      { rejected: 'unmapped-value', at: 'rules.telemetry.event.identity.wrapping' },
    ]);
    expect(mapText(withIdentity('{ wrapping: seq, optional: true }'), missing).events).toHaveLength(1);
    const both = withIdentity('{ session: boot, counter: seq, optional: true }');
    expect(mapText(both, missing).events).toHaveLength(1);
    expect(mapText(both, { ...missing, boot: 3 }).rejections).toMatchObject([
      { at: 'rules.telemetry.event.identity.counter' },
    ]);
  });

  test('is refused where a counter is beyond its bits', () => {
    expect(
      mapText(withIdentity('{ wrapping: seq, bits: 8 }'), { ...payload, seq: 256 }).rejections,
    ).toMatchObject([{ detail: 'rules.telemetry.event.identity.wrapping: not below 2^8' }]);
  });
});

test('the time of an event is the arrival of its record where the mapping names none', () => {
  const { events } = mapText(FLAT.replace(/ {6}time:.*\n/, ''), { device_id: 'a1' });
  expect(events[0]?.event.time).toBe(new Date(ARRIVAL_TIME).toISOString());
});

describe('an event whose source does not count', () => {
  const keyed = (identity: string, time = 'time: { path: t, steps: [text] }, ') =>
    `{language: 1, mapping: k, version: 1, rules: [{name: r, event: {deviceId: d, ${time}identity: ${identity}, data: x}}]}`;
  const payload = { d: 'a', t: '2026-01-01T00:00:00Z', source: '/s', id: '7', x: { v: 1 } };
  const keyIn = (mapping: string, changes: object = {}) =>
    keyOf(mapText(mapping, { ...payload, ...changes }).events[0]?.text ?? '');
  const BY_KEY = keyed('{key: {concat: [source, {const: " "}, id]}, window: {events: 8, seconds: 60}}');

  test('has a hash of the key of its source, and the window, in its text', () => {
    const key = hash('sha256', '/s 7', 'base64url').slice(0, 16);
    expect(keyIn(BY_KEY)).toEqual({ key, eventsMax: 8, withinMs: 60_000 });
    expect(keyIn(BY_KEY, { x: { v: 2 }, t: '2026-01-02T00:00:00Z' })?.key).toBe(key);
    expect(keyIn(BY_KEY, { id: '8' })?.key).not.toBe(key);
    expect(keyIn(keyed('{key: id}'))).toMatchObject({ eventsMax: 64 });
    expect(keyIn(keyed('{key: id}'))).not.toHaveProperty('withinMs');
  });

  test('is rejected by name without its key, unless the mapping says that it may lack one', () => {
    expect(mapText(BY_KEY, { ...payload, id: null }).rejections).toMatchObject([
      { rejected: 'unmapped-value', at: 'rules.r.event.identity.key' },
    ]);
    expect(mapText(keyed('{key: id}'), { ...payload, id: '' }).rejections).toHaveLength(1);
    const optional = mapText(keyed('{key: id, optional: true}'), { ...payload, id: null });
    expect(optional.events[0]?.text).not.toContain('source');
  });

  test('has a hash of its type, time and data where its content is its key, and of nothing that differs from copy to copy', () => {
    const byContent = keyed('{content: true}');
    const key = keyIn(byContent)?.key;
    expect(key).toMatch(/^[\w-]{16}$/);
    expect(keyIn(byContent, { id: '8' })?.key).toBe(key);
    expect(keyIn(byContent, { x: { v: 2 } })?.key).not.toBe(key);
    expect(keyIn(byContent, { t: '2026-01-02T00:00:00Z' })?.key).not.toBe(key);
    const untimed = mapperOf(keyed('{content: true, window: {seconds: 5}}', ''));
    const [first, second] = [0, 1_000].map((later) => {
      const data = Buffer.from(JSON.stringify(payload));
      return keyOf(untimed.map({ ...record(data), arrivalTime: ARRIVAL_TIME + later }).events[0]?.text ?? '');
    });
    expect(second).toEqual(first);
  });

  test('may be many events of one record, each with the content that it has come to', () => {
    const merged =
      '{language: 1, mapping: k, version: 1, rules: [{name: r, each: {path: l, merge: true}, event: {deviceId: d, time: {path: t, steps: [text]}, identity: {content: true}, data: x}}]}';
    const one = (d: string, x: object) => ({ d, t: payload.t, x });
    const keys = (l: readonly object[]) => mapText(merged, { l }).events.map(({ text }) => keyOf(text)?.key);
    const [both, other] = keys([one('a', { p: 1 }), one('a', { q: 2 }), one('b', { p: 1 })]);
    expect(both).not.toBe(other);
    expect(keys([one('a', { p: 1, q: 2 })])).toEqual([both]);
  });

  test.each([
    ['{key: id, session: boot}', 'exactly one of'],
    ['{key: id, lateMax: 2}', 'belongs to a counter'],
    ['{wrapping: n, window: {events: 2}}', 'belongs to a key or to the content'],
    ['{key: id, window: {events: 513}}', 'events'],
    ['{content: true, optional: true}', 'each event has a content'],
  ])('has one kind of identity: %s', (identity, fault) => {
    expect(() => mapperOf(keyed(identity))).toThrow(fault);
  });

  test('whose device tells no time has its content as its key for some seconds alone', () => {
    expect(() => mapperOf(keyed('{content: true}', ''))).toThrow('set `seconds`');
  });
});
