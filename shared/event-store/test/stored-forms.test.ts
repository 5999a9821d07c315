import { newDevice, planPage } from '@twinstream/device-model';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';
import { expect, test } from 'vitest';
import { decodePage, encodePage } from '../src/page-item.ts';
import { decodeSnapshot, encodeSnapshot } from '../src/snapshot-item.ts';

/*
 * What releases have written for one page and the snapshot after it, by the month of the first of them, oldest first. Releases work side by
 * side while a deployment shifts, and one may be taken back: the last form stays until every reader in use reads the next (docs/deploy.md,
 * "Forms in two steps"). A new form is a new line.
 */
const arrived = [1, 2].map((counter) =>
  arrivedEvent({ session: 3, counter, at: counter * 13, data: { routeId: '1', counter } }),
);
const plan = planPage(newDevice(DEVICE), SHARDS[0], arrived);
if (plan.kind !== 'page') throw new Error('nothing is new');
const { page, next: state } = plan;
const snapshot = { foldVersion: 1, state, receipts: state.receipts };

const EVENTS = `"steps":"33c654a2d099999999a3f0743580d092126236ed66g,dt","arrivals":[0,13000],"events":[
{"v":1,"deviceId":"bus-2619","type":"reported","time":"2026-11-02T08:00:13.000Z","data":{"routeId":"1","counter":1},"session":3,"counter":1},
{"v":1,"deviceId":"bus-2619","type":"reported","time":"2026-11-02T08:00:26.000Z","data":{"routeId":"1","counter":2},"session":3,"counter":2}
]}`;
const pageItem = (body: string) => ({
  deviceId: { S: 'bus-2619' },
  key: { S: 'EVENT#0000000000000#000000000001' },
  shardId: { S: 'shardId-000000000000' },
  eventCount: { N: '2' },
  firstArrivalTime: { N: '1793606413000' },
  firstEventTime: { N: '1793606413000' },
  lastEventTime: { N: '1793606426000' },
  body: { S: body },
});
const PAGES = [
  ['2026-11', pageItem(`{"format":1,${EVENTS}`)],
  ['2026-12', pageItem(`{"format":1,"frame":[0,0,1793606413000],${EVENTS}`)],
] as const;

const POSITION = '"shardId-000000000000","4959033827149025660855969253836164783345534663173472256",0';
const SNAPSHOTS = [
  [
    '2026-11',
    {
      deviceId: { S: 'bus-2619' },
      key: { S: 'SNAPSHOT#000001#1793606426000#000000000001' },
      foldVersion: { N: '1' },
      page: { N: '1' },
      arrivalMax: { N: '1793606426000' },
      body: {
        S: `{"format":1,"state":{"attributes":[["routeId","3.2","1"],["counter","3.2",2]],"status":["unknown","-1.-1"],"lastEventTime":["2026-11-02T08:00:26.000Z","3.2"],"lastArrivalTime":1793606426000,"position":[${POSITION}],"marks":[[${POSITION},1793606426000]],"current":[3,2],"ordinal":0,"receipts":{"sessions":[[3,1,2,null,0,1]]},"counts":[2,0,0,0]}}`,
      },
    },
  ],
] as const;

test.each(PAGES)('the page of %s is read', (_month, item) => {
  expect(decodePage(item)).toEqual(page);
});

test.each(SNAPSHOTS)('the snapshot of %s is read', (_month, item) => {
  expect(decodeSnapshot(item)).toEqual(snapshot);
});

test('the last forms are those that are written', () => {
  expect(encodePage(page)).toEqual(PAGES.at(-1)?.[1]);
  expect(encodeSnapshot(snapshot)).toEqual(SNAPSHOTS.at(-1)?.[1]);
});
