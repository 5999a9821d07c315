import { itemBytes } from '@twinstream/aws/dynamodb';
import { describe, expect, it } from 'vitest';
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
        S: '{"1.1":["site","type","firmware"],"1.3":["speedMph","routeId","tripId","latitude","longitude"]}',
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
    expect(itemBytes(stateItem(state))).toBeLessThanOrEqual(900);
  });

  it.each([
    ['page', { S: '1' }],
    ['versions', { S: '{' }],
    ['versions', { S: '{}' }],
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
