import { itemBytes } from '@twinstream/aws/dynamodb';
import { deviceId, newDevice } from '@twinstream/device-model';
import { SHARDS } from '@twinstream/test-kit';
import { describe, expect, it } from 'vitest';
import { auditState } from '../src/audit-state.ts';
import { decodeListCursor, encodeListCursor, requireListLimit } from '../src/list-cursor.ts';
import { decodeState, stateItem } from '../src/state-item.ts';
import { vehicle } from './vehicle.ts';

describe('the item of a vehicle', () => {
  it('speaks for itself', async () => {
    const item = stateItem(await vehicle('bus-2619', 2));
    expect(item).toMatchObject({
      deviceId: { S: 'bus-2619' },
      status: { S: 'connected' },
      site: { S: 'north' },
      labels: { M: { site: { S: 'north' }, type: { S: 'bus' }, firmware: { S: '2.4.1' } } },
      versions: {
        S: '{"1.1":["site","type","firmware"],"1.3":"*"}',
      },
      counterRanges: { S: '1:1-3' },
      session: { N: '1' },
      counter: { N: '3' },
      counts: { M: { events: { N: '3' }, duplicates: { N: '0' }, late: { N: '0' }, gaps: { N: '0' } } },
    });
    expect(item.attributes?.M?.routeId).toEqual({ S: '801' });
  });

  it('fits a write unit with eight attributes, many events on', async () => {
    const state = await vehicle('bus-2619', 200);
    expect(itemBytes(stateItem(state))).toBeLessThanOrEqual(560);
  });

  it('is read, and without a fault, as it was written before 2026-12', async () => {
    const state = await vehicle('bus-2619', 2);
    const place = `${SHARDS[0]}:${state.position?.sequenceNumber}:0`;
    const old = {
      ...stateItem(state),
      arrivalMax: { N: String(state.lastArrivalTime) },
      lastEventVersion: { S: '1.3' },
      versions: {
        S: '{"1.1":["site","type","firmware"],"1.3":["speedMph","routeId","tripId","latitude","longitude"]}',
      },
      position: { S: place },
      marks: { S: `${place}@${state.lastArrivalTime}` },
    };
    expect(Object.keys(old)).not.toEqual(Object.keys(stateItem(state)));
    expect(decodeState(old)).toEqual(state);
    expect(auditState(old)).toEqual({ kind: 'state', state, faults: [] });
    const other = auditState({ ...old, statusVersion: { S: '1.9' } });
    expect(other).toMatchObject({ kind: 'state', state: { status: { version: { counter: 9 } } } });
  });

  it('has no name for the attributes of its commonest version unless one of them was removed', async () => {
    const state = await vehicle('bus-2619', 2);
    const removed = new Map(state.attributes);
    const { version } = state.attributes.get('routeId') ?? {};
    if (version === undefined) throw new TypeError('a vehicle has a route');
    removed.set('routeId', { version });
    const item = stateItem({ ...state, attributes: removed });
    expect(item.versions).toEqual({
      S: '{"1.3":["speedMph","routeId","tripId","latitude","longitude"],"1.1":"*"}',
    });
    expect(decodeState(item).attributes).toEqual(removed);
  });

  it.each([
    ['page', { S: '1' }],
    ['versions', { S: '{' }],
    ['versions', { S: '{}' }],
    ['versions', { S: '{"1.1":"*","1.3":"*"}' }],
    ['position', { S: 'shardId-9' }],
    ['status', { S: 'asleep' }],
    ['marks', { S: 'shardId-0:1@x' }],
    ['counterRanges', { S: '1:1-' }],
    ['counterRanges', { S: '1:' }],
    ['counterRanges', { S: '1' }],
    ['counterRanges', { S: '1:;lowest=3' }],
    ['counterRanges', { S: '1:;highest=3' }],
    ['counterRanges', { S: 'x:1-3' }],
    ['counts', { M: {} }],
    ['counts', { N: '1' }],
    ['page', { N: '-1' }],
    ['page', { N: '2.5' }],
    ['page', { N: '9007199254740993' }],
    ['position', { S: 'shardId-000000000000:1' }],
    ['marks', { S: 'shardId-000000000000:1:0@1x' }],
    ['marks', { S: 'shardId-000000000000:1:0@x1' }],
    ['marks', { S: 'shardId-000000000000:1@1' }],
    ['attributes', { M: { site: { SS: ['x'] } } }],
  ])('is damaged with a %s of %j', async (name, value) => {
    const item = { ...stateItem(await vehicle('bus-2619', 2)), [name]: value };
    expect(() => decodeState(item)).toThrowError(expect.objectContaining({ code: 'DAMAGED_STATE' }));
  });

  it('is named by its device where it is damaged, and by nothing where it has none', () => {
    expect(() => decodeState({ deviceId: { S: 'bus-1' } })).toThrow('the state of bus-1 cannot be read: ');
    expect(() => decodeState({})).toThrow('the state of ? cannot be read: ');
    expect(() => decodeState({ counts: { M: {} } })).toThrowError(
      expect.objectContaining({ cause: expect.any(Error) }),
    );
  });

  it('leaves out what says nothing', () => {
    const item = stateItem(newDevice(deviceId('bus-1')));
    expect(Object.keys(item).sort()).toEqual([
      ...['arrivalMax', 'attributes', 'counts', 'deviceId', 'labels', 'marks', 'page', 'status', 'versions'],
    ]);
  });

  it('says session and counter where either of the two is known', () => {
    const start = newDevice(deviceId('bus-1'));
    for (const [session, counter] of [
      [0, -1],
      [-1, 0],
      [1, 1],
    ] as const) {
      const state = { ...start, current: { session, counter } };
      const item = stateItem(state);
      expect([item.session?.N, item.counter?.N]).toEqual([String(session), String(counter)]);
      expect(decodeState(item)).toEqual(state);
    }
  });

  it('writes a range of one counter as that counter, and what was dropped of a session beside it', () => {
    const start = newDevice(deviceId('bus-1'));
    const one = { first: 5, last: 5 };
    const two = { first: 7, last: 9 };
    const text = (known: object) => {
      const sessions = new Map([[1, known as never]]);
      const state = { ...start, receipts: { ...start.receipts, sessions } };
      const item = stateItem(state);
      expect(decodeState(item)).toEqual(state);
      return item.counterRanges?.S;
    };
    expect(text({ lowest: 5, highest: 9, ranges: [one, two] })).toBe('1:5,7-9');
    expect(text({ lowest: 2, highest: 12, floor: 3, ranges: [one] })).toBe('1:5;lowest=2;highest=12;floor=3');
    expect(text({ lowest: 2, highest: 12, ranges: [] })).toBe('1:;lowest=2;highest=12');
  });
});

describe('the audit of a state item', () => {
  it('shows the state, and each attribute that does not follow from the others or is foreign', async () => {
    const state = await vehicle('bus-2619', 2);
    const item = stateItem(state);
    expect(auditState(item)).toEqual({ kind: 'state', state, faults: [] });
    const faults = [{ attribute: 'site' }, { attribute: 'expiresAt' }];
    expect(auditState({ ...item, site: { S: 'south' }, expiresAt: { N: '1' } })).toMatchObject({
      ...{ kind: 'state', state, faults },
    });
  });

  it('names the damage of one that cannot be read, and tells that none is there', async () => {
    expect(auditState({ ...stateItem(await vehicle('bus-1', 2)), marks: { S: 'x' } })).toEqual({
      kind: 'damaged',
      fault: expect.stringContaining('the state of bus-1 cannot be read'),
    });
    expect(auditState(undefined)).toEqual({ kind: 'none' });
  });
});

describe('a cursor of the list of devices', () => {
  it('names the device that it was made of', () => {
    expect(decodeListCursor(encodeListCursor(deviceId('bus-1')))).toBe('bus-1');
    expect(decodeListCursor(undefined)).toBeUndefined();
  });

  it.each(['', 'x', '[]', '["a","b"]', '"a"', '{"0":"a","length":1}', '[1]', '[""]', '["a"'])(
    'that holds %j was returned by no list',
    (text) => {
      const cursor = Buffer.from(text).toString('base64url');
      expect(() => decodeListCursor(cursor)).toThrowError(
        expect.objectContaining({ code: 'INVALID_CURSOR' }),
      );
    },
  );

  it('is asked for with a limit of 1 to 1,000 devices', () => {
    for (const limit of [1, 1_000]) expect(() => requireListLimit(limit)).not.toThrow();
    for (const limit of [0, 1_001, 1.5])
      expect(() => requireListLimit(limit)).toThrow('limit must be 1-1000');
  });
});
