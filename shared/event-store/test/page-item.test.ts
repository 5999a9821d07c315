import { zstdCompressSync } from 'node:zlib';
import { itemBytes } from '@twinstream/aws/dynamodb';
import type { Upcaster } from '@twinstream/device-model';
import { type ArrivedEvent, type EventPage, newDevice, planPage } from '@twinstream/device-model';
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
