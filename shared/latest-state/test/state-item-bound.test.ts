import { ITEM_BYTES_MAX, itemBytes } from '@twinstream/aws/dynamodb';
import { deviceId, type EventPage, foldPage, newDevice } from '@twinstream/device-model';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { expect, test } from 'vitest';
import { decodeState, encodeState } from '../src/state-item.ts';

const DEVICE = deviceId('gateway-1');
const ATTRIBUTES_PER_EVENT = 200;

/** A page of one event that sets 200 attributes, or removes them. */
function pageOf(number: number, value: string | null): EventPage {
  const place = { sequenceNumber: sequenceNumber(`${number}`), subSequenceNumber: 0 };
  const first = ((number - 1) >> 1) * ATTRIBUTES_PER_EVENT;
  const data = Object.fromEntries(
    Array.from({ length: ATTRIBUTES_PER_EVENT }, (_, index) => [`alarm-${1e9 + first + index}`, value]),
  );
  const identity = { session: 1, counter: number };
  const time = '2026-11-30T00:00:00Z';
  const event = { v: 1, deviceId: DEVICE, type: 'reported', time, identity, data } as const;
  return {
    deviceId: DEVICE,
    page: number,
    arrivalMaxBefore: number - 1,
    shardId: shardId('shardId-000000000000'),
    events: [
      { place, arrivalTime: number, event, text: '', version: { ...identity, ordinal: 0, revision: 0 } },
    ],
    duplicates: 0,
    through: place,
    throughArrivalTime: number,
    firstArrivalTime: number,
    lastArrivalTime: number,
    heardTime: number,
  };
}

test('the state of a device that has removed 16,000 attributes in its life fits into an item, and says what it does not keep', () => {
  let state = newDevice(DEVICE);
  for (let number = 1; number <= 160; number += 1) {
    state = foldPage(state, pageOf(number, number % 2 === 1 ? 'on' : null));
  }
  expect(itemBytes(itemOf(state))).toBeLessThan(ITEM_BYTES_MAX);
  expect(state.attributesFloor).toMatchObject({ session: 1 });
  expect(decodeState(itemOf(state))).toEqual(state);
});

function itemOf(state: ReturnType<typeof newDevice>) {
  const attributes = Object.entries(encodeState(state)).filter(([, value]) => value !== undefined);
  return { deviceId: { S: state.deviceId }, ...Object.fromEntries(attributes) } as Parameters<
    typeof decodeState
  >[0];
}
