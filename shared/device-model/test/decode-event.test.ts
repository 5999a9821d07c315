import {
  decodeEvent,
  EVENT_LIMITS,
  MAPPING_REJECTION_REASONS,
  REJECTION_REASONS,
  type RejectionReason,
} from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';

const EVENT = {
  v: 1,
  deviceId: 'bus-2619',
  type: 'reported',
  time: '2017-03-21T05:00:31.000Z',
  session: 3,
  counter: 1_042,
  data: { speedMph: 17.4, routeId: '1' },
};
const CORRECTION = {
  ...EVENT,
  type: 'corrected',
  correctionId: 'c-1',
  reason: 'sensor fault',
  actor: 'operator',
  corrects: { session: 3, counter: 1_041 },
};

const decode = (value: unknown) =>
  decodeEvent(
    Buffer.from(value instanceof Uint8Array || typeof value === 'string' ? value : JSON.stringify(value)),
  );
const without = (name: string, from: object = EVENT) =>
  Object.fromEntries(Object.entries(from).filter(([member]) => member !== name));
/** An event whose JSON holds this text in place of the value of its one attribute. */
const withAttribute = (json: string) =>
  JSON.stringify({ ...EVENT, data: { x: 'HERE' } }).replace('"HERE"', json);
const nested = (levels: number) => `${'['.repeat(levels)}1${']'.repeat(levels)}`;
const attributes = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`a${n}`, n]));

describe('decoding an event', () => {
  test.each([
    ['9007199254740991', 9_007_199_254_740_991],
    ['9007199254740992', '9007199254740992'],
    ['-12345678901234567890', '-12345678901234567890'],
    ['0.1234567890123456789', '0.1234567890123456789'],
    ['1.2345678901234567890e+30', '1.2345678901234567890e+30'],
    ['30.198259999999998', 30.198259999999998],
    ['0.10000000000000001', 0.1],
    ['1E5', 100_000],
    ['1.0', 1],
    ['[{"a":1e22},{"a":9007199254740993}]', [{ a: 1e22 }, { a: '9007199254740993' }]],
    ['"9007199254740993"', '9007199254740993'],
  ])('holds %s as a number where a double does, else as the text of its digits', (json, value) => {
    const decoded = decode(withAttribute(json));
    expect(decoded).toMatchObject({ event: { data: { x: value } }, text: withAttribute(json) });
  });

  test('gives its members and the text that it came in, without white space around it', () => {
    const text = JSON.stringify(EVENT);
    const { session, counter, ...rest } = EVENT;
    expect(decode(` ${text}\r\n`)).toEqual({ event: { ...rest, identity: { session, counter } }, text });
  });

  test('takes an event without session and counter as one without identity', () => {
    const decoded = decode(without('session', without('counter')));
    expect('event' in decoded && decoded.event.identity).toBeUndefined();
  });

  test('bounds the depth of every member, those without a meaning here as well', () => {
    const withMember = (json: string) => JSON.stringify(EVENT).replace('{', `{"own":${json},`);
    const { depthMax } = EVENT_LIMITS;
    expect(decode(withMember(nested(depthMax)))).toHaveProperty('event');
    const reported = JSON.stringify(EVENT).replace('{', `{"reason":${nested(10_000)},`);
    expect(decode(reported)).toMatchObject({ rejected: 'data-too-deep' });
    for (const levels of [depthMax + 1, 10_000]) {
      expect(decode(withMember(nested(levels)))).toMatchObject({ rejected: 'data-too-deep' });
      expect(decode(withMember(`{"a":[1,{"b":${nested(levels)}}]}`))).toMatchObject({
        rejected: 'data-too-deep',
      });
    }
  });

  test('refuses numbers that become infinite or 0, wherever they stand', () => {
    const withMember = (json: string) => JSON.stringify(EVENT).replace('{', `{"own":{"x":[${json}]},`);
    const lost = [
      '1e400',
      '-1E400',
      '1e-400',
      '-1E-400',
      '2.4e-324',
      `0.${'0'.repeat(400)}1`,
      `0.${'0'.repeat(250)}1e-99`,
    ];
    for (const number of lost) {
      expect(decode(withMember(number)), number).toMatchObject({ rejected: 'number-out-of-range' });
      expect(decode(withAttribute(`[${number}]`)), number).toMatchObject({ rejected: 'number-out-of-range' });
    }
    for (const kept of ['0e-400', `0.${'0'.repeat(400)}`, '"1e-400"', '1e200', '-0.0']) {
      expect(decode(withMember(kept)), kept).toHaveProperty('event');
    }
  });

  test('takes an unknown type as it is', () => {
    expect(decode({ ...EVENT, type: 'rebooted' })).toHaveProperty('event.type', 'rebooted');
  });

  test.each(['connected', 'disconnected'])('takes %s without data', (type) => {
    expect(decode({ ...without('data'), type })).toHaveProperty('event.data', {});
  });

  test('reads a correction, and gives it no identity of its own', () => {
    expect(decode(CORRECTION)).toHaveProperty('event.correction', {
      correctionId: 'c-1',
      reason: 'sensor fault',
      actor: 'operator',
      corrects: { session: 3, counter: 1_041 },
    });
    expect(decode(CORRECTION)).not.toHaveProperty('event.identity');
    expect(decode(without('corrects', CORRECTION))).not.toHaveProperty('event.correction.corrects');
  });

  test('takes device ids of every kind that is allowed, those that look like integers too', () => {
    for (const id of ['0', '10', 'a', 'A.b_c:d-e', 'x'.repeat(128)]) {
      expect(decode({ ...EVENT, deviceId: id })).toHaveProperty('event.deviceId', id);
    }
  });

  test.each(['1e-130', '-1e-130', '9.99e125', '-9.99e125', '0', '-0', '0.0e999'])(
    'takes the number %s',
    (json) => {
      expect(decode(withAttribute(json))).toHaveProperty('event');
    },
  );

  test('takes an event that is exactly as large, wide, long and deep as it may be', () => {
    const room = EVENT_LIMITS.bytesMax - JSON.stringify({ ...EVENT, data: { x: '' } }).length;
    const largest = JSON.stringify({ ...EVENT, data: { x: 'x'.repeat(room) } });
    expect(largest.length).toBe(EVENT_LIMITS.bytesMax);
    expect(decode(largest)).toHaveProperty('event');
    expect(decode({ ...EVENT, data: attributes(200) })).toHaveProperty('event');
    expect(decode({ ...EVENT, data: { ['x'.repeat(128)]: 1 } })).toHaveProperty('event');
    expect(decode(withAttribute(nested(EVENT_LIMITS.depthMax)))).toHaveProperty('event');
  });

  test('keeps attributes whose names mean something to JavaScript', () => {
    const decoded = decode(withAttribute('1').replace('"x"', '"__proto__"'));
    expect('event' in decoded && Object.entries(decoded.event.data)).toEqual([['__proto__', 1]]);
  });
});

const REJECTED: Readonly<Record<RejectionReason, readonly (readonly [string, unknown])[]>> = {
  empty: [['no bytes', '']],
  'too-large': [['300 KiB', `${JSON.stringify(EVENT)}${' '.repeat(300 * 1024)}`]],
  'invalid-utf8': [
    ['a byte that no UTF-8 holds', Buffer.from([0x7b, 0xff, 0x7d])],
    ['an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['half a character', Buffer.from([0x22, 0xe2, 0x82])],
  ],
  'not-json': [
    ['plain text', 'hello'],
    ['a truncated event', JSON.stringify(EVENT).slice(0, -1)],
    ['white space alone', ' \n'],
    ['two events', `${JSON.stringify(EVENT)}\n${JSON.stringify(EVENT)}`],
    ['NaN', withAttribute('NaN')],
  ],
  'not-object': [
    ['an array', [EVENT]],
    ['a number', '7'],
    ['a text', '"text"'],
    ['null', 'null'],
  ],
  'unsupported-version': [
    ['no version', without('v')],
    ['a version to come', { ...EVENT, v: 2 }],
    ['a version as text', { ...EVENT, v: '1' }],
  ],
  'missing-device-id': [['no device id', without('deviceId')]],
  'invalid-device-id': [
    ['an empty id', { ...EVENT, deviceId: '' }],
    ['257 characters', { ...EVENT, deviceId: 'x'.repeat(257) }],
    ['a space at its end', { ...EVENT, deviceId: 'bus 1 ' }],
    ['a line end', { ...EVENT, deviceId: 'bus-1\n' }],
    ['a character that turns the direction of text', { ...EVENT, deviceId: 'bus\u202e1' }],
    ['half of a surrogate pair', JSON.stringify(EVENT).replace('bus-2619', 'bus\\ud83d')],
    ['a number', { ...EVENT, deviceId: 7 }],
    ['null', { ...EVENT, deviceId: null }],
  ],
  'invalid-type': [
    ['no type', without('type')],
    ['an empty type', { ...EVENT, type: '' }],
    ['129 characters', { ...EVENT, type: 'x'.repeat(129) }],
    ['half of a surrogate pair', JSON.stringify(EVENT).replace('reported', '\\ud83d')],
  ],
  'invalid-time': [
    ['no time', without('time')],
    ['no offset', { ...EVENT, time: '2017-03-21T05:00:31' }],
    ['a number', { ...EVENT, time: 1_490_072_431_000 }],
    ['a day that does not exist', { ...EVENT, time: '2017-02-29T05:00:31Z' }],
  ],
  'invalid-counter': [
    ['a session alone', without('counter')],
    ['a counter alone', without('session')],
    ['a negative counter', { ...EVENT, counter: -1 }],
    ['a fraction', { ...EVENT, counter: 1.5 }],
    ['a number beyond 2^53', JSON.stringify(EVENT).replace('1042', '9007199254740993')],
    [
      'a number that a double rounds to a whole one',
      JSON.stringify(EVENT).replace('1042', '1042.0000000000000000001'),
    ],
    ['a text', { ...EVENT, session: '3' }],
    ['null', { ...EVENT, session: null, counter: null }],
  ],
  'invalid-data': [
    ['no data', without('data')],
    ['an array', { ...EVENT, data: [1] }],
    ['a text', { ...EVENT, data: 'x' }],
  ],
  'too-many-attributes': [['201 attributes', { ...EVENT, data: attributes(201) }]],
  'invalid-attribute-name': [
    ['an empty name', { ...EVENT, data: { '': 1 } }],
    ['129 characters', { ...EVENT, data: { ['x'.repeat(129)]: 1 } }],
    ['half of a surrogate pair', withAttribute('1').replace('"x"', '"\\ud83d"')],
    ['an empty name inside an attribute', { ...EVENT, data: { x: { '': 1 } } }],
  ],
  'invalid-text': [
    ['half of a surrogate pair', withAttribute('"\\ud83d"')],
    ['half of a surrogate pair inside', withAttribute('["\\udc00"]')],
  ],
  'number-out-of-range': [
    ['too large', withAttribute('1e126')],
    ['too small', withAttribute('1e-131')],
    ['beyond what a double holds', withAttribute('-1e400')],
    ['inside', withAttribute('{"a":[1e126]}')],
  ],
  'data-too-deep': [
    ['one level too many', withAttribute(nested(EVENT_LIMITS.depthMax + 1))],
    ['as deep as its size allows', withAttribute(nested(120_000))],
    ['objects', withAttribute(`${'{"a":'.repeat(25)}1${'}'.repeat(25)}`)],
  ],
  'invalid-correction': [
    ['no id', without('correctionId', CORRECTION)],
    ['an id too long', { ...CORRECTION, correctionId: 'x'.repeat(129) }],
    ['no reason', without('reason', CORRECTION)],
    ['an empty actor', { ...CORRECTION, actor: '' }],
    ['a reason too long', { ...CORRECTION, reason: 'x'.repeat(1_025) }],
    ['a target without counter', { ...CORRECTION, corrects: { session: 1 } }],
    ['a target that is not an object', { ...CORRECTION, corrects: 7 }],
    ['a target with a negative session', { ...CORRECTION, corrects: { session: -1, counter: 0 } }],
  ],
  // Decided against the state of a device.
  'correction-ahead': [],
  'damaged-aggregate': [],
  // Decided by payload mappings, before an event is read.
  'no-mapping': [],
  'undecodable-payload': [],
  'unmapped-value': [],
  'mapping-limit': [],
};

describe('bytes of an invalid record are rejected', () => {
  for (const [reason, cases] of Object.entries(REJECTED)) {
    test.each(cases)(`as ${reason}: %s`, (_, value) => {
      expect(decode(value)).toEqual({ rejected: reason, detail: expect.stringMatching(/^.{10,120}$/) });
    });
  }

  test('for every reason that the bytes of an event alone decide', () => {
    const untested = REJECTION_REASONS.filter((reason) => REJECTED[reason].length === 0);
    // One is decided against the device's chain, the other before an event is read.
    expect(untested).toEqual(['correction-ahead', 'damaged-aggregate', ...MAPPING_REJECTION_REASONS]);
  });

  test('without a word of the payload in the detail', () => {
    for (const [, value] of Object.values(REJECTED).flat()) {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      const secret = decode(text.replace(/bus-2619|bus 1|hello|sensor fault/g, 'secret'));
      if ('rejected' in secret) expect(secret.detail).not.toContain('secret');
    }
  });
});
