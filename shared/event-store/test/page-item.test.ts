import { zstdCompressSync } from 'node:zlib';
import { itemBytes } from '@twinstream/aws/dynamodb';
import type { Upcaster } from '@twinstream/device-model';
import { type ArrivedEvent, type EventPage, newDevice, planPage } from '@twinstream/device-model';
import { shardId } from '@twinstream/stream-model';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';
import { describe, expect, it } from 'vitest';
import { pageBody } from '../src/page-body.ts';
import { decodePage, encodePage, PAGE_BODY_BYTES_MAX } from '../src/page-item.ts';

const hasCode = (code: string) => expect.objectContaining({ code, retryable: false });

function pageOf(...arrived: readonly ArrivedEvent[]): EventPage {
  const plan = planPage(newDevice(DEVICE), SHARDS[0], arrived);
  if (plan.kind !== 'page') throw new Error('nothing is new');
  return plan.page;
}

/** Reports of a vehicle, each a record of its own. */
function reports(count: number): readonly ArrivedEvent[] {
  return Array.from({ length: count }, (_, index) =>
    arrivedEvent({
      session: 3,
      counter: 1_042 + index,
      at: 1 + index * 13,
      data: { speedMph: (index * 37) % 61, routeId: '1', latitude: 30.19 + (index % 7) / 977 },
    }),
  );
}

describe('a page as an item', () => {
  it('names what it holds in words', () => {
    const item = encodePage(pageOf(...reports(2)));
    expect(Object.keys(item).sort()).toEqual(
      [
        'body',
        'deviceId',
        'eventCount',
        'firstEventTime',
        'key',
        'firstArrivalTime',
        'lastEventTime',
        'shardId',
      ].sort(),
    );
  });

  it('has beside its body what follows from it, and nothing that would say the same twice', () => {
    const { body: _, ...one } = encodePage(pageOf(...reports(1)));
    expect(Object.keys(one).sort()).toEqual([
      ...['deviceId', 'eventCount', 'firstArrivalTime', 'firstEventTime', 'key', 'shardId'],
    ]);
    const [first, second] = reports(2) as [ArrivedEvent, ArrivedEvent];
    const again = { ...first, place: second.place };
    expect(encodePage(pageOf(first, again))).toMatchObject({
      eventCount: { N: '1' },
      duplicates: { N: '1' },
    });
    const { body: __, ...none } = encodePage({ ...pageOf(first), events: [], duplicates: 1 });
    expect(Object.keys(none).sort()).toEqual([
      ...['deviceId', 'duplicates', 'eventCount', 'firstArrivalTime', 'key', 'shardId'],
    ]);
  });

  it('stays plain while it fits a write unit, and fits one with 25 events', () => {
    expect(encodePage(pageOf(...reports(3))).body?.S).toBeDefined();
    const large = encodePage(pageOf(...reports(25)));
    expect(large.body?.B).toBeDefined();
    expect(itemBytes(large)).toBeLessThanOrEqual(1_024);
  });

  it('keeps every byte of an event that was written with white space', () => {
    const arrived = arrivedEvent({ at: 1, session: 1, counter: 1 });
    const text = JSON.stringify(JSON.parse(arrived.text), undefined, 1).replace(
      '"counter": 1',
      '"counter" :\t1.0e0',
    );
    const page = pageOf({ ...arrived, text }, ...reports(2));
    expect(decodePage(encodePage(page)).events[0]?.text).toBe(text);
  });

  it('refuses what no item can hold', () => {
    let seed = 1;
    const text = Array.from({ length: 200_000 }, () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return String.fromCodePoint(0x4e00 + (seed % 20_000));
    }).join('');
    const arrived = arrivedEvent({ at: 1 });
    const page = pageOf({
      ...arrived,
      text: JSON.stringify({ ...JSON.parse(arrived.text), data: { text } }),
    });
    expect(() => encodePage(page)).toThrowError(hasCode('PAGE_TOO_LARGE'));
  });
});

describe('the body of a page', () => {
  const header = (page: EventPage) => {
    const { format: _, frame: __, steps: ___, events: ____, ...rest } = JSON.parse(pageBody(page));
    return rest;
  };
  const [first, second] = reports(2) as [ArrivedEvent, ArrivedEvent];
  const page = pageOf(first, second);

  it('says nothing of arrivals, versions and ends that follow from its events', () => {
    expect(header(pageOf({ ...first, arrivalTime: second.arrivalTime }, second))).toEqual({});
    const following = pageOf(first, arrivedEvent({ at: 50, arrivalTime: first.arrivalTime }));
    expect(header(following)).toEqual({});
    expect(header(page)).toEqual({ arrivals: [0, second.arrivalTime - first.arrivalTime] });
    const reordered = { ...page, events: page.events.toReversed() };
    expect(header(reordered)).not.toHaveProperty('through');
    expect(decodePage(encodePage(reordered))).toEqual(reordered);
  });

  it.each([
    ['session', { session: 4 }],
    ['counter', { counter: 7 }],
    ['ordinal', { ordinal: 1 }],
    ['revision', { revision: 1 }],
    ['position', { position: { shardId: SHARDS[1], ...first.place } }],
  ])('says the version of an event that has another %s than its own identity', (_, changed) => {
    const events = page.events.map((stored) => ({ ...stored, version: { ...stored.version, ...changed } }));
    const other = { ...page, events };
    expect(header(other).stamps).toHaveLength(2);
    expect(decodePage(encodePage(other))).toEqual(other);
  });

  it.each([
    ['session', { session: 4 }],
    ['counter', { counter: 7 }],
    ['ordinal', { ordinal: 2 }],
    ['ordinal of the event before', { ordinal: 0 }],
  ])(
    'says the version of an uncounted event whose %s does not follow from the event before',
    (_, changed) => {
      const plain = pageOf(first, arrivedEvent({ at: 50 }));
      const events = plain.events.map((stored, index) =>
        index === 0 ? stored : { ...stored, version: { ...stored.version, ...changed } },
      );
      expect(header({ ...plain, events }).stamps).toHaveLength(1);
      expect(decodePage(encodePage({ ...plain, events }))).toEqual({ ...plain, events });
    },
  );

  it('says its ends where duplicates or corrections have moved them', () => {
    const { place } = arrivedEvent({ at: 99 });
    const ends: readonly (readonly [string, Partial<EventPage>])[] = [
      ['through', { through: place }],
      ['through', { throughArrivalTime: 5 }],
      ['lastArrivalTime', { lastArrivalTime: page.lastArrivalTime + 5 }],
      ['heardTime', { heardTime: page.lastArrivalTime + 5 }],
    ];
    for (const [name, changed] of ends) {
      const moved = { ...page, ...changed };
      expect(Object.keys(header(moved))).toEqual(['arrivals', name]);
      expect(decodePage(encodePage(moved))).toEqual(moved);
    }
    const correction = arrivedEvent({ at: 50, correctionId: 'c', data: { speedMph: 1 } });
    const corrected = pageOf(first, correction);
    expect(corrected.heardTime).toBe(first.arrivalTime);
    expect(header(corrected)).not.toHaveProperty('heardTime');
    expect(decodePage(encodePage(corrected))).toEqual(corrected);
    const none = pageOf(correction);
    expect(header(none)).not.toHaveProperty('heardTime');
    const unheard = { ...page };
    delete (unheard as { heardTime?: number }).heardTime;
    expect(header(unheard).heardTime).toBeNull();
    expect(decodePage(encodePage(unheard))).toEqual(unheard);
  });

  it('keeps a shard of any name, and texts in which its own line ends stand', () => {
    const named = { ...page, shardId: shardId('shardId-east') };
    expect(JSON.parse(pageBody(named)).frame[0]).toBe('shardId-east');
    expect(decodePage(encodePage(named))).toEqual(named);
    const spaced = (arrived: ArrivedEvent) => ({ ...arrived, text: arrived.text.replace(',', ',\n') });
    const lines = pageOf(spaced(first), second, spaced(arrivedEvent({ at: 90, session: 3, counter: 2_000 })));
    expect(header(lines).lengths).toHaveLength(3);
    expect(decodePage(encodePage(lines))).toEqual(lines);
  });
});

describe('reading a page', () => {
  const page = pageOf(...reports(2));
  const item = encodePage(page);

  it('brings events of an older schema up, and keeps their own text', () => {
    const old = pageBody(page).replaceAll('"v":1,', '"v":0,').replaceAll('"type":', '"kind":');
    const fromZero: Upcaster = ({ kind, ...event }) => ({ ...event, v: 1, type: kind ?? null });
    const read = decodePage({ ...item, body: { S: old } }, new Map([[0, fromZero]]));
    expect(read.events.map(({ event }) => event)).toEqual(page.events.map(({ event }) => event));
    expect(read.events.map(({ version }) => version)).toEqual(page.events.map(({ version }) => version));
    expect(read.events[0]?.text).toContain('"v":0,');
    expect(() => decodePage({ ...item, body: { S: old } })).toThrowError(hasCode('UNKNOWN_EVENT_VERSION'));
  });

  it('takes from the body what stands beside it, too', () => {
    const altered = {
      ...item,
      shardId: { S: 'shardId-7' },
      duplicates: { N: '9' },
      firstArrivalTime: { N: '1' },
    };
    expect(decodePage(altered)).toEqual(page);
    const { shardId: _, firstArrivalTime: __, ...lacking } = item;
    expect(decodePage(lacking)).toEqual(page);
  });

  it('takes from the attributes what older bodies do not say', () => {
    const old = { ...item, body: { S: pageBody(page).replace(/"frame":[^\]]*\],/, '') } };
    expect(decodePage(old)).toEqual(page);
  });

  it('names the item that is damaged by what it has of its key', () => {
    const damage = (item: object) => () => decodePage(item as Parameters<typeof decodePage>[0]);
    expect(damage({})).toThrow('page ? ? cannot be read');
    expect(damage({ ...item, body: { S: '{' } })).toThrow(
      `page ${DEVICE} ${item.key?.S} cannot be read: SyntaxError`,
    );
    expect(damage({ ...item, body: { S: '{' } })).toThrowError(
      expect.objectContaining({ cause: expect.any(SyntaxError) }),
    );
  });

  it('does not unpack a body that would fill the memory', () => {
    const bomb = zstdCompressSync(Buffer.alloc(PAGE_BODY_BYTES_MAX + 1, ' '));
    expect(bomb.length).toBeLessThan(2_000);
    expect(() => decodePage({ ...item, body: { B: bomb } })).toThrowError(hasCode('DAMAGED_PAGE'));
  });

  it.each([
    ['no body', { ...item, body: { N: '1' } }],
    ['a body that is no JSON', { ...item, body: { S: '{' } }],
    [
      'a body of a later format',
      { ...item, body: { S: pageBody(page).replace('"format":1', '"format":2') } },
    ],
    ['bytes that are not compressed', { ...item, body: { B: Buffer.from(pageBody(page)) } }],
    ['a body that is a list', { ...item, body: { S: '[]' } }],
    [
      'events that are not of the form of a body',
      { ...item, body: { S: JSON.stringify(JSON.parse(pageBody(page))) } },
    ],
    ['a text at its end', { ...item, body: { S: `${pageBody(page)} ` } }],
    [
      'an event that is a text',
      { ...item, body: { S: pageBody(page).replace(/\n\{"v".*\n\]/s, '\n"a",\n"b"\n]') } },
    ],
    ['an event too few', { ...item, body: { S: pageBody(page).replace(/,\n[^\n]*\n\]/, '\n]') } }],
    ['steps in a list', { ...item, body: { S: pageBody(page).replace(/"steps":"[^"]*"/, '"steps":[1,2]') } }],
    [
      'a shard that is a list',
      { ...item, body: { S: pageBody(page).replace('"frame":[0,', '"frame":[[],') } },
    ],
    [
      'a number of duplicates that is a text',
      { ...item, body: { S: pageBody(page).replace('"frame":[0,0,', '"frame":[0,"0",') } },
    ],
    ['no events, and no ends', { ...item, body: { S: '{"format":1,"frame":[0,1,5],"events":[\n\n]}' } }],
    [
      'no events, and no latest arrival',
      { ...item, body: { S: '{"format":1,"frame":[0,1,5],"through":["1",5],"events":[\n\n]}' } },
    ],
    [
      'an uncounted event without a version',
      {
        ...item,
        body: { S: pageBody(pageOf(arrivedEvent({ at: 1 }))).replace(/"stamps":\[\[[^\]]*\]\],/, '') },
      },
    ],
    ['an event that is not valid', { ...item, body: { S: pageBody(page).replace('"reported"', '7') } }],
    [
      'a step too few',
      { ...item, body: { S: pageBody(page).replace(/"steps":"([^,]*),[^"]*"/, '"steps":"$1"') } },
    ],
    [
      'no shard',
      { ...item, body: { S: pageBody(page).replace(/"frame":[^\]]*\],/, '') }, shardId: { S: '' } },
    ],
    [
      'an event of another device',
      { ...item, body: { S: pageBody(page).replace(`"deviceId":"${DEVICE}"`, '"deviceId":"other"') } },
    ],
    ['the key of a snapshot', { ...item, key: { S: 'SNAPSHOT#000001#0000000000000#000000000001' } }],
  ])('reports %s as damage', (_, damaged) => {
    expect(() => decodePage(damaged)).toThrowError(hasCode('DAMAGED_PAGE'));
  });
});
