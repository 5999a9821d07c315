import { decodeEvent, type EntryDecoder } from '@twinstream/device-model';
import { encodeAggregate } from '@twinstream/stream-model';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { hintedRecord } from '../../src/fleet/hinted-record.ts';

const utf8 = new TextEncoder();
const idsOf = (Data: Uint8Array) =>
  hintedRecord({ SequenceNumber: '1', PartitionKey: 'key', Data }).flatMap(({ deviceIds }) => deviceIds);
const eventText = (name: string, id: string) =>
  `{"v":1,${name}:${id},"type":"reported","time":"2026-11-02T08:00:00Z","data":{}}`;

test.each([
  ['an escape in the name of the member', '"device\\u0049d"', '"bus-1"'],
  ['an escape in the id', '"deviceId"', '"bus\\u002d1"'],
  ['an escape in both', '"\\u0064eviceId"', '"\\u0062us-1"'],
])('names the device of an event with %s', (_what, name, id) => {
  const data = utf8.encode(eventText(name, id));
  expect(decodeEvent(data)).toMatchObject({ event: { deviceId: 'bus-1' } });
  expect(idsOf(data)).toEqual(['bus-1']);
});

/** A text as JSON may write it: any of its characters as an escape. */
const written = (text: fc.Arbitrary<string>) =>
  text.chain((characters) =>
    fc.array(fc.boolean(), { minLength: characters.length, maxLength: characters.length }).map((escaped) => {
      const parts = [...characters].map((character, index) =>
        escaped[index] ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : character,
      );
      return `"${parts.join('')}"`;
    }),
  );
const drawnEvent = fc
  .tuple(
    written(fc.constant('deviceId')),
    written(fc.stringMatching(/^[A-Za-z0-9._:/é~-][A-Za-z0-9._:/é~ -]{1,18}[A-Za-zß]$/u)),
  )
  .map(([name, id]) => utf8.encode(eventText(name, id)));

test('names every device that the projector finds in a record, however it is written', () => {
  fc.assert(
    fc.property(fc.array(drawnEvent, { minLength: 1, maxLength: 4 }), (events) => {
      const found = events.flatMap((data) => {
        const decoded = decodeEvent(data);
        return 'rejected' in decoded ? [] : [decoded.event.deviceId];
      });
      const aggregate = encodeAggregate(events.map((data) => ({ partitionKey: 'k', data })));
      expect(idsOf(aggregate)).toEqual([...new Set(found)]);
    }),
    { numRuns: 100 },
  );
});

test('names the devices of every event that a mapping makes of a record', () => {
  const data = utf8.encode('{"gateway":"g","readings":[{"id":"pump-1"},{"id":"pump-2"}]}');
  const eventOf = (id: string) => decodeEvent(utf8.encode(eventText('"deviceId"', `"${id}"`)));
  const decoder: EntryDecoder = {
    mappings: ['fleet@1'],
    decode: () => ({
      events: ['pump-1', 'pump-2'].flatMap((id, subSequenceNumber) => {
        const decoded = eventOf(id);
        return 'rejected' in decoded ? [] : [{ subSequenceNumber, decoded }];
      }),
      ignored: 0,
    }),
  };
  const record = { SequenceNumber: '1', PartitionKey: 'key', Data: data };
  expect(hintedRecord(record, decoder)).toMatchObject([{ deviceIds: ['pump-1', 'pump-2'] }]);
});
