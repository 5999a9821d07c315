import {
  decodeEvent,
  deviceId,
  encodeEvent,
  eventText,
  type JsonObject,
  parseExactJson,
  readEvent,
} from '@twinstream/device-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const value = fc
  .jsonValue({ maxDepth: 3, depthSize: 'small', noUnicodeString: false })
  .filter((json) => !/(?:"":)|e[-+]\d{3}/.test(JSON.stringify(json)));
// Through JSON once, because it knows no -0, and whole numbers beyond 2^53 - 1 become texts.
const data = fc
  .dictionary(name, value, { maxKeys: 8 })
  .map((members) => parseExactJson(JSON.stringify(members)) as JsonObject);
const identity = fc.record({ session: fc.maxSafeNat(), counter: fc.maxSafeNat() });
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const head = {
  v: fc.constant(1 as const),
  deviceId: fc.stringMatching(/^[A-Za-z0-9._:-]{1,20}$/).map(deviceId),
  time: fc
    .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  data,
};
const event = fc.oneof(
  fc.record({
    ...head,
    type: fc.oneof(
      fc.constantFrom('reported', 'connected', 'disconnected'),
      text.filter((type) => type !== 'corrected'),
    ),
  }),
  fc.record({ ...head, type: fc.constant('reported'), identity }),
  fc.record({
    ...head,
    type: fc.constant('corrected'),
    correction: fc.record(
      { correctionId: text, reason: text, actor: text, corrects: identity },
      { requiredKeys: ['correctionId', 'reason', 'actor'] },
    ),
  }),
);

test('an event that is encoded is decoded to the same event', () => {
  fc.assert(
    fc.property(event, (original) => {
      expect(decodeEvent(encodeEvent(original))).toEqual({ event: original, text: eventText(original) });
    }),
    { numRuns: 1_000 },
  );
});

test('the encoded event is one line', () => {
  fc.assert(
    fc.property(event, (original) => {
      const bytes = Buffer.from(encodeEvent(original));
      expect(bytes.indexOf(0x0a)).toBe(bytes.length - 1);
    }),
  );
});

test('decoding never throws, whatever the bytes', () => {
  const mutated = fc.tuple(event, fc.nat(), fc.nat(255)).map(([original, at, byte]) => {
    const bytes = encodeEvent(original);
    bytes[at % bytes.length] = byte;
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), mutated), (bytes) => {
      const decoded = decodeEvent(bytes);
      expect('rejected' in decoded || 'event' in decoded).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

test('reading never throws, whatever the members', () => {
  const member = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(1, 'reported', 'corrected', 'bus-1', '2017-03-21T05:00:31Z', {}),
  );
  const names = [
    'v',
    'deviceId',
    'type',
    'time',
    'session',
    'counter',
    'data',
    'correctionId',
    'reason',
    'actor',
    'corrects',
  ];
  const members = fc.record(Object.fromEntries(names.map((each) => [each, member])), { requiredKeys: [] });
  fc.assert(
    fc.property(members, (object) => {
      const read = readEvent(object as JsonObject);
      expect('rejected' in read || read.v === 1).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
