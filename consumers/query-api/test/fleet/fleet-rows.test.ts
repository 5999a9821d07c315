import { type DeviceState, deviceId, newDevice } from '@twinstream/device-model';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { beforeEach, describe, expect, test } from 'vitest';
import { createFleetRows, type FleetRows } from '../../src/fleet/fleet-rows.ts';
import { DEFAULT_LIVENESS_POLICY } from '../../src/liveness.ts';

const DEVICE = deviceId('bus-1');
const SHARD = shardId('shardId-000000000000');

/** A state of which the tests look at page, value and place. */
function stateAt(page: number, speedMph: number, at = page, markAt = at): DeviceState {
  const version = { session: 1, counter: page, ordinal: 0, revision: 0 };
  const place = (number: number) => ({
    sequenceNumber: sequenceNumber(String(number)),
    subSequenceNumber: 0,
  });
  return {
    ...newDevice(DEVICE),
    page,
    attributes: new Map([['speedMph', { value: speedMph, version }]]),
    position: { shardId: SHARD, ...place(at) },
    marks: new Map([[SHARD, { ...place(markAt), arrivalTime: 0 }]]),
    lastArrivalTime: 0,
  };
}

let rows: FleetRows;
beforeEach(() => {
  rows = createFleetRows({
    liveness: DEFAULT_LIVENESS_POLICY,
    livenessOf: () => 'online',
    processedOf: () => undefined,
  });
});
const speed = () => rows.find(DEVICE)?.device.attributes.speedMph;

describe('the rows of the fleet', () => {
  test('show what a later read finds at the same page: a state that was repaired', () => {
    rows.put(stateAt(3, 1), 1_000, 1_000);
    const change = rows.put(stateAt(3, 2), 2_000, 2_000);
    expect([change?.before?.row.device.attributes.speedMph, speed()]).toEqual([1, 2]);
    expect(rows.find(DEVICE)?.alteredTime).toBe(2_000);
  });

  test('tell of no change where a read finds the same', () => {
    rows.put(stateAt(3, 1), 1_000, 1_000);
    expect(rows.put(stateAt(3, 1), 2_000, 2_000)).toBeUndefined();
    // The row is now as of the later read.
    expect(rows.put(stateAt(2, 0), 1_500, 2_500)).toBeUndefined();
    expect(speed()).toBe(1);
  });

  test.each([
    ['an older page', stateAt(2, 0)],
    ['another content at the same page', stateAt(3, 0)],
  ])('keep what was read when a reading that began before it brings %s', (_what, older) => {
    rows.put(stateAt(3, 1), 2_000, 2_000);
    expect(rows.put(older, 1_000, 3_000)).toBeUndefined();
    expect(speed()).toBe(1);
  });

  test('take a newer page from a reading that began before', () => {
    rows.put(stateAt(3, 1), 2_000, 2_000);
    rows.put(stateAt(4, 2), 1_000, 3_000);
    expect(speed()).toBe(2);
  });

  test('take an older page from a read that began later: another table stands there', () => {
    rows.put(stateAt(3, 1), 1_000, 1_000);
    rows.put(stateAt(2, 2), 2_000, 2_000);
    expect(speed()).toBe(2);
  });

  test('keep a device that was read since a reading began which did not find it', () => {
    rows.put(stateAt(1, 1), 2_000, 2_000);
    expect(rows.beginReading(1_000).dropRest()).toEqual([]);
    expect(rows.columns.size).toBe(1);
    expect(rows.beginReading(2_000).dropRest()).toMatchObject([{ deviceId: DEVICE }]);
    expect(rows.inOrder()).toHaveLength(0);
  });

  test('know a device whose last event lies below its mark: its marks do not tell when it changed', () => {
    rows.put(stateAt(3, 1), 1_000, 1_000);
    expect(rows.find(DEVICE)?.isBehindMarks).toBe(false);
    rows.put(stateAt(4, 2, 1, 3), 2_000, 2_000);
    expect(rows.find(DEVICE)?.isBehindMarks).toBe(true);
  });
});
