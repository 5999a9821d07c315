import type { Item } from '@twinstream/aws/dynamodb';
import { expect, test } from 'vitest';
import { readAsFormerRelease } from '../contract/former-state-item.ts';
import { decodeState, stateItem } from '../src/state-item.ts';
import { vehicle } from './vehicle.ts';

/*
 * What releases have written for one vehicle, by the month of the first of them, oldest first. Releases work side by side while a
 * deployment shifts, and one may be taken back: the last form stays until every reader in use reads the next (docs/deploy.md, "Forms in two
 * steps"). A new form is a new line.
 */
const COMMON = {
  deviceId: { S: 'bus-2619' },
  page: { N: '3' },
  attributes: {
    M: {
      site: { S: 'north' },
      type: { S: 'bus' },
      firmware: { S: '2.4.1' },
      speedMph: { N: '37' },
      routeId: { S: '801' },
      tripId: { N: '1723912' },
      latitude: { N: '30.198359930048966' },
      longitude: { N: '-97.77688991008094' },
    },
  },
  status: { S: 'connected' },
  statusVersion: { S: '1.1' },
  site: { S: 'north' },
  labels: { M: { site: { S: 'north' }, type: { S: 'bus' }, firmware: { S: '2.4.1' } } },
  lastEventTime: { S: '2026-11-02T08:00:03.000Z' },
  lastArrivalTime: { N: '1793606403000' },
  session: { N: '1' },
  counter: { N: '3' },
  counterRanges: { S: '1:1-3' },
  counts: { M: { events: { N: '3' }, duplicates: { N: '0' }, late: { N: '0' }, gaps: { N: '0' } } },
};
const PLACE = 'shardId-000000000000:4959033827149025660855969253836157994943715538058477568:0';
const FORMS: readonly (readonly [string, Item])[] = [
  [
    '2026-11',
    {
      ...COMMON,
      arrivalMax: { N: '1793606403000' },
      versions: {
        S: '{"1.1":["site","type","firmware"],"1.3":["speedMph","routeId","tripId","latitude","longitude"]}',
      },
      lastEventVersion: { S: '1.3' },
      position: { S: PLACE },
      marks: { S: `${PLACE}@1793606403000` },
    },
  ],
  [
    '2026-12',
    {
      ...COMMON,
      versions: { S: '{"1.1":["site","type","firmware"],"1.3":"*"}' },
      position: { S: 'shardId-000000000000' },
      marks: { S: PLACE },
    },
  ],
];

test.each(FORMS)('the state of %s is read', async (_month, item) => {
  expect(decodeState(item)).toEqual(await vehicle('bus-2619', 2));
});

test('the last form is the one that is written', async () => {
  expect(stateItem(await vehicle('bus-2619', 2))).toEqual(FORMS.at(-1)?.[1]);
});

test('the release of 2026-11 reads its own form, and says of the next that it cannot', async () => {
  const [former = {}, next = {}] = FORMS.map(([, item]) => item);
  expect(readAsFormerRelease(former)).toEqual(await vehicle('bus-2619', 2));
  expect(() => readAsFormerRelease(next)).toThrowError(expect.objectContaining({ code: 'DAMAGED_STATE' }));
});
