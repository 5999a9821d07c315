import { SORT_NAMES } from '@twinstream/api-contract';
import { type DeviceId, deviceId, type JsonObject } from '@twinstream/device-model';
import { TEST_TIME_MS } from '@twinstream/test-kit';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { fleetPlaces, listPage } from '../../src/fleet/fleet-list.ts';
import { type FleetRow, fleetRow } from '../../src/fleet/fleet-row.ts';
import { comparePlaces, type FleetSort, type SortPlace, sortPlace } from '../../src/fleet/fleet-sort.ts';
import { DEFAULT_LIVENESS_POLICY, livenessAt } from '../../src/liveness.ts';
import { memoryPipeline } from '../memory-pipeline.ts';
import { eventOf } from '../test-api.ts';

const NOW = TEST_TIME_MS + 3_600_000;
let rows: readonly FleetRow[];

beforeAll(async () => {
  const pipeline = memoryPipeline();
  for (let n = 0; n < 60; n += 1) {
    const data: JsonObject = {
      ...(n % 3 === 0 ? {} : { site: `s${n % 7}` }),
      ...(n % 4 === 0 ? {} : { type: 't' }),
    };
    const arrivalTime = TEST_TIME_MS + (n % 11) * 400_000;
    await pipeline.put(eventOf(`d-${n}`, { counter: 1, data }, arrivalTime), arrivalTime);
    await pipeline.put(eventOf(`d-${n}`, { counter: 2 + (n % 5) }, arrivalTime), arrivalTime);
  }
  const { devices } = await pipeline.states.list({ limit: 1_000 });
  rows = devices.map(fleetRow).sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1));
});

const sort: fc.Arbitrary<FleetSort> = fc.record({
  by: fc.constantFrom(...SORT_NAMES),
  order: fc.constantFrom('asc' as const, 'desc' as const),
});

describe('pages of the fleet', () => {
  test('put together are the whole sorted fleet, each device once, whatever the order and the limit', () => {
    fc.assert(
      fc.property(sort, fc.integer({ min: 1, max: 70 }), (order, limit) => {
        const listed: string[] = [];
        let after: SortPlace | undefined;
        for (let page = 0; page < 100; page += 1) {
          const query = {
            places: placesNow(order),
            sort: order,
            limit,
            ...(after === undefined ? {} : { after }),
          };
          const { devices, last } = listPage(snapshotOf(rows), query, NOW);
          listed.push(...devices.map((device) => device.deviceId));
          if (last === undefined) break;
          after = last;
        }
        expect(listed).toEqual(sorted(order));
      }),
    );
  });

  test('go on behind a place, also where its device has gone', () => {
    fc.assert(
      fc.property(sort, fc.nat({ max: 59 }), (order, index) => {
        const gone = rows[index];
        if (gone === undefined) return;
        const rest = rows.filter((row) => row !== gone);
        const query = { places: placesNow(order), sort: order, limit: 100, after: placeOf(gone, order) };
        const { devices } = listPage(snapshotOf(rest), query, NOW);
        const all = sorted(order);
        expect(devices.map((device) => device.deviceId)).toEqual(all.slice(all.indexOf(gone.deviceId) + 1));
      }),
    );
  });
});

function livenessOf({ device, lastArrivalTime, hasLeft }: FleetRow, timeMs: number) {
  const heard = { type: device.labels.type, lastArrivalTime, hasLeft };
  return livenessAt(DEFAULT_LIVENESS_POLICY, heard, timeMs, undefined);
}

function snapshotOf(held: readonly FleetRow[]) {
  return {
    rows: held,
    find: (id: DeviceId) => held.find(({ deviceId: known }) => known === id),
    livenessAt: livenessOf,
  };
}

function placesNow(order: FleetSort) {
  return fleetPlaces(snapshotOf(rows), {}, order, NOW);
}

function placeOf(row: FleetRow, { by }: FleetSort): SortPlace {
  return sortPlace(row, by, livenessOf(row, NOW));
}

function sorted(order: FleetSort) {
  const compare = comparePlaces(order);
  return rows
    .map((row) => placeOf(row, order))
    .sort(compare)
    .map((place) => deviceId(place.deviceId));
}
