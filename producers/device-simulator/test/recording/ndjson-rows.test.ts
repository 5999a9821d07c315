import { decodeEvent } from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';
import { eventOfJsonLine, rawLine } from '../../src/recording/ndjson-rows.ts';
import { stamped } from '../../src/recording/recorded-event.ts';
import type { RowColumns } from '../../src/recording/row.ts';

const columns: RowColumns = { id: 'id', time: 'at' };
const COUNTED =
  '{"v":1,"deviceId":"bus-1","type":"reported","time":"2017-03-21T00:00:31-05:00","session":3,"counter":7,"data":{"x":1.0,"big":12345678901234567890},"extra":[1]}';
const UNCOUNTED =
  '{ "v":1,"deviceId":"bus-1","type":"reported","time":"2017-03-21T00:00:31Z","data":{"x":1.50}}';
const CORRECTION =
  '{"v":1,"deviceId":"bus-1","type":"corrected","time":"2017-03-21T00:00:31Z","correctionId":"c","reason":"r","actor":"a","data":{"x":1}}';

function eventOf(text: string, using: RowColumns | undefined = columns) {
  const event = eventOfJsonLine({ number: 5, bytes: Buffer.from(text).toString('latin1') }, using, undefined);
  if (event === undefined || 'reason' in event) throw new Error(JSON.stringify(event));
  return event;
}
const reasonOf = (text: string, using: RowColumns | undefined = columns): string => {
  const row = eventOfJsonLine({ number: 5, bytes: Buffer.from(text).toString('latin1') }, using, undefined);
  if (row === undefined || !('reason' in row)) throw new Error('an event');
  expect(row.line).toBe(5);
  return row.reason;
};
const dataOf = (text: string) => {
  const decoded = decodeEvent(Buffer.from(text));
  if ('rejected' in decoded) throw new Error(decoded.detail);
  return decoded.event.data;
};

describe.each([undefined, columns])('a device event, columns being %j', (using) => {
  test('that is counted is sent as it stands, byte for byte', () => {
    const event = eventOf(COUNTED, using);
    expect(stamped(event, 99, 99)).toBe(COUNTED);
    expect(event).toMatchObject({
      deviceId: 'bus-1',
      identity: { session: 3, counter: 7 },
      isUncounted: false,
    });
  });

  test('that is not counted gets an identity, and nothing else changes', () => {
    const text = stamped(eventOf(UNCOUNTED, using), 8, 2);
    expect(text).toBe(UNCOUNTED.replace('{', '{"session":8,"counter":2,'));
    expect(decodeEvent(Buffer.from(text))).toMatchObject({ event: { identity: { session: 8, counter: 2 } } });
  });

  test('that corrects others gets none', () => {
    expect(stamped(eventOf(CORRECTION, using), 8, 2)).toBe(CORRECTION);
  });

  test('that says connected needs no data', () => {
    const text = '{"v":1,"deviceId":"a","type":"connected","time":"2017-03-21T00:00:31Z"}';
    expect(eventOf(text, using)).toMatchObject({ type: 'connected', isUncounted: true });
  });

  test('that is invalid is bad for the reason that decoders give', () => {
    expect(reasonOf(COUNTED.replace('2017-03-21T', 'noon '), using)).toBe(
      'time must be ISO 8601 with an offset',
    );
    expect(reasonOf(COUNTED.replace('"counter":7,', ''), using)).toMatch(/session and counter come together/);
  });
});

describe('a flat row', () => {
  test('becomes an event: time in UTC, other members as data, types as JSON has them', () => {
    const event = eventOf(
      '{"id":2619,"at":"2017-03-21T00:00:31-05:00","n":"12","on":true,"deep":{"a":[1]},"none":null}',
    );
    expect(JSON.parse(stamped(event, 5, 1))).toEqual({
      v: 1,
      deviceId: '2619',
      type: 'reported',
      time: '2017-03-21T05:00:31.000Z',
      session: 5,
      counter: 1,
      data: { n: '12', on: true, deep: { a: [1] }, none: null },
    });
  });

  test('may have members called v, deviceId, type and time', () => {
    const flat = '{"deviceId":"a","time":"2017-03-21T00:00:31Z","v":230.5,"type":"x"}';
    const event = eventOf(flat, { id: 'deviceId', time: 'time' });
    expect(dataOf(stamped(event, 1, 1))).toEqual({ v: 230.5, type: 'x' });
  });

  test('keeps numbers that a double does not hold as text, ids too', () => {
    const event = eventOf(
      '{"id":12345678901234567890,"at":1490072431,"n":9007199254740993,"m":[0.1234567890123456789],"ok":1.5}',
    );
    expect(event.deviceId).toBe('12345678901234567890');
    expect(dataOf(stamped(event, 1, 1))).toEqual({
      n: '9007199254740993',
      m: ['0.1234567890123456789'],
      ok: 1.5,
    });
  });

  test('keeps an identity that its columns name', () => {
    const counted = { ...columns, session: 's', counter: 'c' };
    const event = eventOf('{"id":"a","at":"2017-03-21T00:00:31Z","s":4,"c":17,"x":1}', counted);
    expect(JSON.parse(stamped(event, 9, 9))).toMatchObject({ session: 4, counter: 17, data: { x: 1 } });
    expect(eventOf('{"id":"a","at":"2017-03-21T00:00:31Z","s":null,"c":null}', counted).isUncounted).toBe(
      true,
    );
    expect(reasonOf('{"id":"a","at":"2017-03-21T00:00:31Z","s":4,"c":1.5}', counted)).toMatch(
      /whole numbers/,
    );
  });

  test.each([
    ['not json', 'the line is not JSON'],
    ['[1]', 'the line is not a JSON object'],
    ['17', 'the line is not a JSON object'],
    ['{"at":"2017-03-21T00:00:31Z","x":1}', 'there is no member "id"; there are: "at", "x"'],
    [
      '{"id":"a","at":"2017-03-21T00:00:31"}',
      'the time "2017-03-21T00:00:31" is not ISO 8601 with an offset, such as 2017-03-21T00:00:31-05:00',
    ],
    [
      '{"id":"a\u200bb","at":"2017-03-21T00:00:31Z"}',
      'deviceId must be 1-256 letters, digits, punctuation, symbols and inner spaces ("a\u200bb")',
    ],
    ['{"id":"a","at":""}', 'the time is empty'],
  ])('%s is bad: %s', (text, reason) => {
    expect(reasonOf(text)).toBe(reason);
  });

  test('that is too large is bad before it is sent', () => {
    const row = (length: number) => `{"id":"a","at":"2017-03-21T00:00:31Z","x":"${'y'.repeat(length)}"}`;
    expect(reasonOf(row(256 * 1024))).toMatch(/larger than 262144 bytes/);
    const text = stamped(eventOf(row(256 * 1024 - 200)), Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    expect(decodeEvent(Buffer.from(`${text}\n`))).toHaveProperty('event');
  });
});

test('an empty line is no row', () => {
  expect(eventOfJsonLine({ number: 1, bytes: '  ' }, columns, undefined)).toBeUndefined();
});

test('lines that are too long or not UTF-8 are bad', () => {
  expect(eventOfJsonLine({ number: 1, bytes: undefined }, columns, undefined)).toHaveProperty('reason');
  expect(eventOfJsonLine({ number: 1, bytes: '{"a":"\u00ff"}' }, columns, undefined)).toHaveProperty(
    'reason',
    'the line is not UTF-8',
  );
});

describe('a line that is put as it is', () => {
  const raw = (text: string, key: string) =>
    rawLine({ number: 7, bytes: Buffer.from(text).toString('latin1') }, key);

  test.each([
    ['{"device_id":"pump-7","ts":1}', 'device_id', 'pump-7'],
    [' {"meta":{"id":9007199254740993},"x":1.0} ', 'meta.id', '9007199254740993'],
    ['[{"bn":"urn:dev:1:"},{"n":"t"}]', '0.bn', 'urn:dev:1:'],
    ['{"nö":"ä"}', 'nö', 'ä'],
  ])('%s has its words, and as its partition key what is at %s', (text, key, deviceId) => {
    const row = raw(text, key);
    if (row === undefined || 'reason' in row) throw new Error(row?.reason);
    expect([row.deviceId, stamped(row, 1, 1)]).toEqual([deviceId, text.trim()]);
  });

  test.each([
    ['{"id":null}', 'there is no text of 1-256 characters or number at "id"'],
    ['{"id":{"a":1}}', 'there is no text of 1-256 characters or number at "id"'],
    ['{"__proto__":{"id":"x"}}', 'there is no text of 1-256 characters or number at "id"'],
    ['id=1', 'the line is not JSON'],
  ])('%s is not one', (text, reason) => {
    expect(raw(text, 'id')).toEqual({ line: 7, reason });
  });

  test('is left out where it is empty', () => {
    expect(raw('  ', 'id')).toBeUndefined();
  });
});
