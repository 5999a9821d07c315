import { itemBytes } from '@twinstream/aws/dynamodb';
import { SHARDS } from '@twinstream/test-kit';
import { describe, expect, it } from 'vitest';
import { auditState } from '../src/audit-state.ts';
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
    ['counts', { M: {} }],
    ['attributes', { M: { site: { SS: ['x'] } } }],
  ])('is damaged with a %s of %j', async (name, value) => {
    const item = { ...stateItem(await vehicle('bus-2619', 2)), [name]: value };
    expect(() => decodeState(item)).toThrowError(expect.objectContaining({ code: 'DAMAGED_STATE' }));
  });
});
