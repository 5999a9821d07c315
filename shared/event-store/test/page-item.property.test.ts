import { itemBytes, writeUnits } from '@twinstream/aws/dynamodb';
import {
  decodeEvent,
  type EventPage,
  type EventVersion,
  newDevice,
  planPage,
  type StoredEvent,
} from '@twinstream/device-model';
import type { ShardPosition } from '@twinstream/stream-model';
import { arrivedEvent, DEVICE, SHARDS, testSequenceNumber } from '@twinstream/test-kit';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawnChain, writeChain } from '../contract/random-chain.ts';
import { memoryEventStore } from '../src/memory-event-store.ts';
import { pageBody } from '../src/page-body.ts';
import { decodePage, encodePage } from '../src/page-item.ts';

const small = fc.nat({ max: 40 });
const arrival = fc.integer({ min: 0, max: 9_999_999_999_999 });
const place: fc.Arbitrary<ShardPosition> = fc.record({
  sequenceNumber: fc.oneof(small, fc.nat()).map(testSequenceNumber),
  subSequenceNumber: small,
});
const version: fc.Arbitrary<EventVersion> = fc
  .tuple(fc.integer({ min: -1, max: 3 }), fc.integer({ min: -1, max: 9 }), small, small, fc.option(place))
  .map(([session, counter, ordinal, revision, at]) => ({
    session,
    counter,
    ordinal,
    revision,
    ...(at === null ? {} : { position: { shardId: SHARDS[2], ...at } }),
  }));

/** Texts as devices write them: with white space, line ends where pages separate events, and any character. */
const stored: fc.Arbitrary<StoredEvent> = fc
  .record({
    place,
    arrivalTime: arrival,
    counter: fc.option(small),
    session: fc.nat({ max: 2 }),
    correctionId: fc.option(fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }), { freq: 4 }),
    data: fc.dictionary(
      fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }),
      fc.string({ unit: 'grapheme' }),
      {
        maxKeys: 4,
      },
    ),
    /** Of numbers whose digits a double does not hold, as of others. */
    number: fc.constantFrom('1', '9007199254740993', '-0.1234567890123456789', '1e17', '17.40'),
    isSpaced: fc.boolean(),
    version,
    follows: fc.boolean(),
    late: fc.option(fc.integer({ min: -9, max: 9 })),
    repaired: fc.boolean(),
  })
  .map(({ counter, session, correctionId, data, number, isSpaced, follows, late, repaired, ...rest }) => {
    const said = correctionId === null ? (counter === null ? {} : { session, counter }) : { correctionId };
    const written = arrivedEvent({ at: 1, data: { ...data, number: 0 }, ...said }).text;
    const text = written.replace('"number":0', `"number":${number}`).replace('{', isSpaced ? '{\n  ' : '{');
    const decoded = decodeEvent(Buffer.from(text));
    if ('rejected' in decoded) throw new TypeError(decoded.detail);
    const { event } = decoded;
    const followed = event.identity && { ...event.identity, ordinal: 0, revision: 0 };
    return {
      ...rest,
      event,
      text,
      version: follows && followed ? followed : rest.version,
      ...(late === null ? {} : { late: { gapChange: late } }),
      ...(repaired ? { repaired: true as const } : {}),
    };
  });

const anyPage: fc.Arbitrary<EventPage> = fc
  .record({
    page: fc.integer({ min: 1, max: 999_999_999_999 }),
    arrivalMaxBefore: arrival,
    shardId: fc.constantFrom(...SHARDS),
    events: fc.array(stored, { maxLength: 8 }),
    duplicates: small,
    through: place,
    throughArrivalTime: arrival,
    firstArrivalTime: arrival,
    lastArrivalTime: arrival,
    heardTime: fc.option(arrival),
  })
  .map(({ heardTime, ...page }) => ({
    deviceId: DEVICE,
    ...page,
    ...(heardTime === null ? {} : { heardTime }),
  }));

describe('a page as an item', () => {
  it('comes back exactly, whatever it holds', () => {
    fc.assert(
      fc.property(anyPage, (page) => {
        expect(decodePage(encodePage(page))).toEqual(page);
      }),
      { numRuns: 500 },
    );
  });

  it('comes back exactly as plain text and compressed', () => {
    fc.assert(
      fc.property(anyPage, (page) => {
        const item = encodePage(page);
        expect(decodePage({ ...item, body: { S: pageBody(page) } })).toEqual(page);
      }),
    );
  });

  it('holds a body that anyone can read as JSON', () => {
    fc.assert(
      fc.property(anyPage, (page) => {
        const { events } = JSON.parse(pageBody(page));
        expect(events).toEqual(page.events.map(({ text }) => JSON.parse(text)));
      }),
    );
  });

  it('never costs more compressed than plain', () => {
    fc.assert(
      fc.property(anyPage, (page) => {
        const item = encodePage(page);
        const plain = { ...item, body: { S: pageBody(page) } };
        const units = writeUnits(itemBytes(item));
        if (item.body?.B === undefined) expect(units).toBe(writeUnits(itemBytes(plain)));
        else expect(units).toBeLessThan(writeUnits(itemBytes(plain)));
      }),
    );
  });

  it('comes back exactly in chains of every kind', async () => {
    await fc.assert(
      fc.asyncProperty(drawnChain, async (drawn) => {
        const { pages } = await writeChain(memoryEventStore(), drawn, 0);
        for (const page of pages) expect(decodePage(encodePage(page))).toEqual(page);
      }),
      { numRuns: 300 },
    );
  });
});

it('plans pages that the codec was made for', () => {
  const plan = planPage(newDevice(DEVICE), SHARDS[0], [arrivedEvent({ at: 1, session: 1, counter: 1 })]);
  if (plan.kind !== 'page') throw new Error('nothing is new');
  expect(JSON.parse(pageBody(plan.page))).toEqual({
    format: 1,
    frame: [0, 0, plan.page.firstArrivalTime],
    steps: expect.any(String),
    events: [expect.objectContaining({ session: 1, counter: 1 })],
  });
});
