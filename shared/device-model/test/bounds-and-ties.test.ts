import {
  COMPLETE_RECEIPT_LIMITS,
  decodeEvent,
  GAPS_MAX,
  gapChange,
  isEventTime,
  lookUp,
  moreGaps,
  newDevice,
  noReceipts,
  PAGE_LIMITS,
  parseVersion,
  planPage,
  presentAttributes,
  receive,
} from '@twinstream/device-model';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import { A, arrived, B, corrected, counted, DEVICE, historyOf, openChain, valuesOf } from './device-chain.ts';

const decode = (members: Record<string, unknown>) =>
  decodeEvent(
    new TextEncoder().encode(
      JSON.stringify({
        v: 1,
        deviceId: 'a',
        type: 'reported',
        time: '2026-11-23T05:00:00Z',
        data: {},
        ...members,
      }),
    ),
  );

describe('an event is taken at the bound and refused beyond it', () => {
  test.each([
    ['a type of 128 characters', { type: 't'.repeat(128) }, undefined],
    ['a type of 129 characters', { type: 't'.repeat(129) }, 'invalid-type'],
    ['session and counter 0', { session: 0, counter: 0 }, undefined],
    ['counter -1', { session: 0, counter: -1 }, 'invalid-counter'],
    ['a session without a counter', { session: 0 }, 'invalid-counter'],
  ])('%s', (_, members, rejected) => {
    const decoded = decode(members);
    expect('rejected' in decoded ? decoded.rejected : undefined).toBe(rejected);
  });

  const correction = { type: 'corrected', correctionId: 'c', reason: 'r', actor: 'a' };
  test.each([
    ['an id of 128 characters', { correctionId: 'c'.repeat(128) }, undefined],
    ['an id of 129 characters', { correctionId: 'c'.repeat(129) }, 'invalid-correction'],
    ['a reason of 1,024 characters', { reason: 'r'.repeat(1_024) }, undefined],
    ['a reason of 1,025 characters', { reason: 'r'.repeat(1_025) }, 'invalid-correction'],
    ['a target that is a text', { corrects: 'x' }, 'invalid-correction'],
    ['a target that is null', { corrects: null }, 'invalid-correction'],
    ['an empty target', { corrects: {} }, 'invalid-correction'],
  ])('of a correction: %s', (_, members, rejected) => {
    const decoded = decode({ ...correction, ...members });
    expect('rejected' in decoded ? decoded.rejected : undefined).toBe(rejected);
  });

  test('and a correction without a target has its id, reason and actor', () => {
    expect(decode(correction)).toMatchObject({
      event: { correction: { correctionId: 'c', reason: 'r', actor: 'a' } },
    });
    expect(decode(correction)).not.toHaveProperty('event.correction.corrects');
  });
});

describe('an event', () => {
  const half = '\ud800';
  const rejectedOf = (members: Record<string, unknown>) => {
    const decoded = decode(members);
    return 'rejected' in decoded ? decoded.rejected : undefined;
  };

  test('without a counter has no identity, and a member that is null is no fault', () => {
    expect(decode({ own: null })).not.toHaveProperty('event.identity');
    expect(rejectedOf({ own: null })).toBeUndefined();
    expect(rejectedOf({ own: [null, true, 1, 'x'] })).toBeUndefined();
  });

  test('is refused for a fault of any attribute, member and element, not of the first alone', () => {
    expect(rejectedOf({ data: { good: 1, bad: half } })).toBe('invalid-text');
    expect(rejectedOf({ data: { a: { good: 1, bad: half } } })).toBe('invalid-text');
    expect(rejectedOf({ data: { a: [1, [half]] } })).toBe('invalid-text');
    expect(rejectedOf({ data: { a: [{}, { '': 1 }] } })).toBe('invalid-attribute-name');
  });

  test.each([1, 'x', true, null])(
    'may hold %j at its deepest level, and no array or object there',
    (value) => {
      const nested = (levels: number, inner: unknown): unknown =>
        levels === 0 ? inner : [nested(levels - 1, inner)];
      expect(rejectedOf({ data: { a: nested(24, value) } })).toBeUndefined();
      expect(rejectedOf({ data: { a: nested(24, []) } })).toBe('data-too-deep');
      expect(rejectedOf({ own: nested(24, value) })).toBeUndefined();
      expect(rejectedOf({ own: nested(24, {}) })).toBe('data-too-deep');
    },
  );
});

test.each([
  ['2026-02-28T00:00:00Z', true],
  ['2026-02-29T00:00:00Z', false],
  ['2024-02-29T00:00:00Z', true],
  ['2024-04-30T00:00:00Z', true],
  ['2024-04-31T00:00:00Z', false],
  ['2024-01-31T00:00:00Z', true],
  ['2024-06-31T00:00:00Z', false],
])('%s is a time that exists: %s', (time, exists) => {
  expect(isEventTime(time)).toBe(exists);
});

test('an object that has the text of a time is none', () => {
  expect(isEventTime({ toString: () => '2026-02-28T00:00:00Z' })).toBe(false);
  expect(isEventTime(['2026-02-28T00:00:00Z'])).toBe(false);
});

test('a version with a position comes back from its text with all of it', () => {
  expect(parseVersion('1.2+3r4@shardId-a:77:5')).toStrictEqual({
    session: 1,
    counter: 2,
    ordinal: 3,
    revision: 4,
    position: { shardId: shardId('shardId-a'), sequenceNumber: sequenceNumber('77'), subSequenceNumber: 5 },
  });
  expect(parseVersion('1.2')).toStrictEqual({ session: 1, counter: 2, ordinal: 0, revision: 0 });
});

describe('receipts', () => {
  test('find their first counter again, one below it and one above it new', () => {
    const receipts = noReceipts();
    for (const counter of [5, 7]) receive(receipts, { session: 1, counter }, COMPLETE_RECEIPT_LIMITS);
    const found = [4, 5, 6, 7, 8].map((counter) => lookUp(receipts, { session: 1, counter }));
    expect(found).toEqual(['new', 'received', 'new', 'received', 'new']);
  });

  test('open no gap beside the highest and the lowest counter', () => {
    const receipts = noReceipts();
    receive(receipts, { session: 1, counter: 5 }, COMPLETE_RECEIPT_LIMITS);
    const changes = [4, 6, 3, 7].map((counter) => gapChange(receipts, { session: 1, counter }));
    expect(changes).toEqual([0, 0, 1, 1]);
    expect(gapChange(receipts, { session: 2, counter: 5 })).toBe(0);
  });

  test('do not know a session at their floor, and know that one above it is new', () => {
    const receipts = { ...noReceipts(), sessionFloor: 3 };
    const found = [2, 3, 4].map((session) => lookUp(receipts, { session, counter: 0 }));
    expect(found).toEqual(['unknown', 'unknown', 'new']);
    receive(receipts, { session: 3, counter: 0 }, COMPLETE_RECEIPT_LIMITS);
    expect(receipts.sessions.size).toBe(0);
    receive(receipts, { session: 4, counter: 0 }, COMPLETE_RECEIPT_LIMITS);
    expect([...receipts.sessions.keys()]).toEqual([4]);
  });

  test('count gaps that stay where they are no longer exact', () => {
    expect(moreGaps(GAPS_MAX - 1, 1)).toBe(GAPS_MAX);
    expect(moreGaps(GAPS_MAX, -1)).toBe(GAPS_MAX);
    expect(moreGaps(GAPS_MAX - 1, -1)).toBe(GAPS_MAX - 2);
  });
});

describe('a page', () => {
  test('holds exactly as much text as it may', () => {
    const events = [1, 2, 3].map((n) => arrived(n, counted(1, n)));
    const charactersMax = events.slice(0, 2).reduce((sum, { text }) => sum + text.length, 0);
    const chain = openChain({ ...PAGE_LIMITS, charactersMax });
    chain.deliver(A, events);
    expect(chain.pages.map((page) => page.events.length)).toEqual([2, 1]);
  });

  test('marks what a repair appended, and nothing else', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(1, counted(1, 1))]);
    chain.deliver(A, [arrived(2, counted(1, 2))], { repaired: true });
    expect(chain.pages.flatMap(({ events }) => events).map((event) => event.repaired)).toEqual([
      undefined,
      true,
    ]);
  });

  test('goes through the highest place that it saw, wherever that stood in the batch', () => {
    const planned = planPage(newDevice(DEVICE), A, [
      arrived(9, counted(1, 1), 900),
      arrived(8, counted(1, 2), 950),
    ]);
    expect(planned).toMatchObject({
      page: { through: { sequenceNumber: '9' }, throughArrivalTime: 900, lastArrivalTime: 950 },
    });
  });

  test('finds a correction again that came earlier in the same batch, with the history at hand', () => {
    const correction = corrected('once', { speed: 1 });
    const planned = planPage(newDevice(DEVICE), A, [arrived(1, correction), arrived(2, correction)], {
      history: historyOf([]),
    });
    expect(planned).toMatchObject({ outcomes: { applied: 1, duplicate: 1 }, page: { duplicates: 1 } });
  });

  test('gives corrections of one target in one batch rising revisions, with the history at hand', () => {
    const target = { session: 1, counter: 1 };
    const batch = [
      arrived(1, counted(1, 1, { data: { speed: 1 } })),
      arrived(2, corrected('a', { speed: 2 }, target)),
      arrived(3, corrected('b', { speed: 3 }, target)),
    ];
    const planned = planPage(newDevice(DEVICE), A, batch, { history: historyOf([]) });
    if (planned.kind !== 'page') throw new Error(planned.kind);
    expect(planned.page.events.map(({ version }) => version.revision)).toEqual([0, 1, 2]);
    expect(valuesOf(planned.next)).toEqual({ speed: 3 });
  });
});

describe('a correction without a target', () => {
  const versionOf = (data: Record<string, number>) => {
    const chain = openChain();
    chain.deliver(A, [
      arrived(1, counted(1, 1, { data: { old: 1 } })),
      arrived(2, counted(1, 2, { data: { new: 1 } })),
      arrived(3, counted(1, 3)),
      arrived(4, corrected('c', data)),
    ]);
    return chain.pages.flatMap(({ events }) => events).at(-1)?.version.counter;
  };

  test('corrects the newest of the attributes that it sets, in whatever order it names them', () => {
    expect(versionOf({ new: 2, old: 2 })).toBe(2);
    expect(versionOf({ old: 2, new: 2 })).toBe(2);
    expect(versionOf({ old: 2 })).toBe(1);
  });

  test('passes over attributes that the device has not, and corrects the device where it has none of them', () => {
    expect(versionOf({ old: 2, unknown: 2 })).toBe(1);
    expect(versionOf({ unknown: 2, old: 2 })).toBe(1);
    expect(versionOf({ unknown: 2 })).toBe(3);
  });
});

describe('revisions', () => {
  test('count the corrections of one event, and of no other of its session, counter or ordinal', () => {
    const chain = openChain();
    chain.deliver(A, [
      arrived(1, counted(1, 1)),
      arrived(2, counted(1, 2)),
      arrived(3, counted(2, 1)),
      arrived(4, corrected('a', { x: 1 }, { session: 1, counter: 1 })),
      arrived(5, corrected('b', { x: 1 }, { session: 1, counter: 2 })),
      arrived(6, corrected('c', { x: 1 }, { session: 2, counter: 1 })),
      arrived(7, corrected('d', { x: 1 }, { session: 1, counter: 1 })),
    ]);
    const versions = chain.pages.flatMap(({ events }) => events.slice(-4)).map(({ version }) => version);
    expect(versions.map(({ session, counter, revision }) => `${session}.${counter}r${revision}`)).toEqual([
      '1.1r1',
      '1.2r1',
      '2.1r1',
      '1.1r2',
    ]);
  });
});

describe('state', () => {
  test('takes null as a value that is removed, and undefined as none', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(1, counted(1, 1, { data: { a: null, b: 0, c: false, d: '' } }))]);
    expect(Object.fromEntries(presentAttributes(chain.state))).toEqual({ b: 0, c: false, d: '' });
    expect([...chain.state.attributes.keys()]).toEqual(['a', 'b', 'c', 'd']);
  });

  test('begins with a status that is older than whatever a device says', () => {
    expect(newDevice(DEVICE).status.version).toEqual({ session: -1, counter: -1, ordinal: 0, revision: 0 });
  });

  test('raises the high-water mark of each shard by its own places', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(5, counted(1, 1))]);
    chain.deliver(B, [arrived(2, counted(1, 2))]);
    chain.deliver(A, [arrived(3, counted(1, 3))]);
    expect([...chain.state.marks].map(([shard, { sequenceNumber: at }]) => [shard, at])).toEqual([
      [A, '5'],
      [B, '2'],
    ]);
  });
});
