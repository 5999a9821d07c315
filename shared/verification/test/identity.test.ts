import { decodeEvent } from '@twinstream/device-model';
import { DEVICE, SHARDS, testSequenceNumber } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { identityOf, mappedText } from '../src/identity.ts';

const [SHARD] = SHARDS;
const place = { sequenceNumber: testSequenceNumber(1), subSequenceNumber: 0 };
const time = '2026-11-23T08:00:00Z';

function identity(said: object): string {
  const head = { v: 1, deviceId: DEVICE, type: 'reported', time, data: {}, session: 1, counter: 2 };
  const text = JSON.stringify({ ...head, ...said });
  const decoded = decodeEvent(Buffer.from(text));
  if ('rejected' in decoded) throw new TypeError(decoded.detail);
  return identityOf(SHARD, { event: decoded.event, place, text });
}
const mapping = { name: 'fleet', version: 1 };

describe('the identity of an event', () => {
  test('that a mapping made is the counter of its source, with its time', () => {
    expect(identity({ mapping, source: { counter: 7 } })).toBe(`source 7 ${time}`);
  });

  test.each([
    ['in its data', { data: { mapping, source: { counter: 7 } } }],
    ['without a mapping', { source: { counter: 7 } }],
    ['with a mapping and no whole number', { mapping, source: { counter: 7.5 } }],
    ['with a source in its data alone', { mapping, data: { source: { counter: 7 } } }],
  ])('that has the counter of a source %s is its own counter', (_, said) => {
    expect(identity(said)).toBe('event 1.2');
  });
});

describe('the text of a stored event as its mapping made it', () => {
  const made = '{"mapping":{"name":"fleet","version":1},"source":{"counter":7},"data":{"session":1}}';

  test('lacks the session and the counter that were derived, of any length', () => {
    expect(mappedText(made.replace('{', '{"session":12,"counter":345,'))).toBe(made);
    expect(mappedText(made)).toBe(made);
  });

  test('keeps what looks like them in its data, and all where the source counts nothing', () => {
    const inData = made.replace('{"session":1}', '{"session":1,"counter":2,"x":3}');
    expect(mappedText(inData)).toBe(inData);
    const own = '{"session":1,"counter":2,"v":1,"data":{}}';
    expect(mappedText(own)).toBe(own);
  });
});
