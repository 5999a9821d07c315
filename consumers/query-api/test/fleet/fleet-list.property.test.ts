import {
  CONNECTION_STATUSES,
  type FleetFilter,
  LIVENESS,
  RETIRED_FILTERS,
  SORT_NAMES,
  TROUBLE_FILTERS,
} from '@twinstream/api-contract';
import type { DeviceId } from '@twinstream/device-model';
import { annotationBits, type DeviceAnnotations, NOTE } from '@twinstream/table-generation/annotations';
import { TEST_TIME_MS } from '@twinstream/test-kit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { numberReader } from '../../src/fleet/columns/fleet-scan.ts';
import { fleetPlaces, listPage, placeIndex } from '../../src/fleet/fleet-list.ts';
import type { FleetRow } from '../../src/fleet/fleet-row.ts';
import type { FleetSort } from '../../src/fleet/fleet-sort.ts';
import { summarizeFleet } from '../../src/fleet/fleet-summary.ts';
import {
  ATTRIBUTE_NAMES,
  anyDeviceId,
  anyState,
  newRows,
  POLICY,
  plainCounts,
  plainMatches,
  plainOrder,
  plainValues,
  snapshotOf,
} from './plain-fleet.ts';

const NOW = TEST_TIME_MS + 60_000;
const said = { by: 'ann', time: NOW, note: 'known', reason: 'sold' };
const anyAnnotations: fc.Arbitrary<DeviceAnnotations> = fc.record(
  {
    retirement: fc.nat({ max: 3 }).map((events) => ({ ...said, events })),
    silent: fc.boolean().map((isOld) => ({ ...said, lastArrivalTime: isOld ? 1 : null })),
    gaps: fc.tuple(fc.nat({ max: 3 }), fc.boolean()).map(([missed, isWithdrawn]) => ({
      ...said,
      missed,
      ...(isWithdrawn ? { withdrawn: true as const } : {}),
    })),
  },
  { requiredKeys: [] },
);
const anyFleet = fc
  .tuple(
    fc.array(anyState, { maxLength: 20 }),
    fc.array(fc.tuple(anyDeviceId, anyAnnotations), { maxLength: 6 }).map((entries) => new Map(entries)),
    fc.boolean(),
  )
  .map(([states, annotations, isAnnotatedFirst]) => {
    const rows = newRows();
    if (isAnnotatedFirst) rows.annotate(annotations, NOW);
    for (const [index, state] of states.entries()) rows.put(state, index, NOW);
    if (!isAnnotatedFirst) rows.annotate(annotations, NOW);
    const plain = [...rows.inOrder()].map((slot) => rows.columns.rowAt(slot));
    const byId = new Map(plain.map((row) => [row.deviceId, row]));
    const notesOf = (id: DeviceId) => {
      const row = byId.get(id);
      return row === undefined
        ? 0
        : annotationBits(annotations.get(id), { ...row, counts: row.device.counts });
    };
    return { rows, plain, notesOf, toString: () => JSON.stringify([plain, [...annotations]]) };
  });
const anySort: fc.Arbitrary<FleetSort> = fc.record({
  by: fc.oneof(
    fc.constantFrom(...SORT_NAMES),
    fc.constantFrom(...ATTRIBUTE_NAMES).map((name) => `attributes.${name}` as const),
  ),
  order: fc.constantFrom('asc' as const, 'desc' as const),
});
const OPERATORS = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'in'] as const;
const operand = fc.constantFrom('5', '7', '-1e3', 'open', 'true', 'false', '12345678901234567890', '');
const condition = fc.oneof(
  fc.record({
    name: fc.constantFrom(...ATTRIBUTE_NAMES, 'absent'),
    operator: fc.constantFrom(...OPERATORS),
    values: fc.array(operand, { minLength: 1, maxLength: 2 }),
  }),
  fc.record({
    name: fc.constantFrom(...ATTRIBUTE_NAMES, 'absent'),
    operator: fc.constant('exists' as const),
    values: fc.constantFrom(['true'], ['false']),
  }),
);
const label = fc.constantFrom('S1', 's2', 'slow', 'absent');
const anyFilter: fc.Arbitrary<FleetFilter> = fc.record(
  {
    status: fc.constantFrom(...CONNECTION_STATUSES),
    liveness: fc.constantFrom(...LIVENESS),
    site: label,
    type: label,
    firmware: label,
    trouble: fc.constantFrom(...TROUBLE_FILTERS),
    acknowledged: fc.boolean(),
    retired: fc.constantFrom(...RETIRED_FILTERS),
    attr: fc.array(condition, { minLength: 1, maxLength: 2 }),
    ids: fc.array(anyDeviceId, { minLength: 1, maxLength: 5 }),
    q: fc.constantFrom('s1', 'Z', '\n', 'x\ny', 'ä', 'low'),
  },
  { requiredKeys: [] },
);
/** Most filters of many members meet nothing. */
const fewMembers: fc.Arbitrary<FleetFilter> = fc.oneof(
  fc.record({ attr: fc.array(condition, { minLength: 1, maxLength: 2 }) }),
  fc
    .tuple(anyFilter, fc.nat({ max: 8 }), fc.nat({ max: 2 }))
    .map(([filter, first, count]) => Object.fromEntries(Object.entries(filter).slice(first, first + count))),
);

describe('lists and counts', () => {
  test('are those of the plain rows, page by page, whatever the filter, the order and the limit', () => {
    fc.assert(
      fc.property(
        anyFleet,
        fewMembers,
        anySort,
        fc.integer({ min: 1, max: 9 }),
        (fleet, filter, sort, limit) => {
          const snapshot = snapshotOf(fleet.rows);
          const wanted = plainOrder(plainMatches(fleet.plain, filter, NOW, fleet.notesOf), sort, NOW);
          const places = fleetPlaces(snapshot, filter, sort, NOW);
          expect(places.slots).toHaveLength(wanted.length);
          const listed: string[] = [];
          let after: number | undefined;
          for (let page = 0; page < 30; page += 1) {
            const query = { places, sort, limit, ...(after === undefined ? {} : { after }) };
            const { devices, last } = listPage(snapshot, query, NOW);
            listed.push(...devices.map((device) => device.deviceId));
            if (last === undefined) break;
            after = placeIndex(places, last);
          }
          expect(listed).toEqual(wanted);
        },
      ),
      { numRuns: 400 },
    );
  });

  test('count as the plain rows do', () => {
    fc.assert(
      fc.property(anyFleet, fewMembers, fc.constantFrom(...ATTRIBUTE_NAMES), (fleet, filter, name) => {
        const scan = snapshotOf(fleet.rows).scan(filter, NOW);
        const wanted = plainMatches(fleet.plain, filter, NOW, fleet.notesOf);
        const summary = summarizeFleet(scan, POLICY);
        expect(summary).toMatchObject(plainCounts(wanted, NOW, fleet.notesOf));
        const sites = new Map<string, number>();
        for (const { device } of wanted) {
          const site = device.labels.site;
          if (site !== undefined) sites.set(site, (sites.get(site) ?? 0) + 1);
        }
        expect(new Map(summary.bySite.values.map(({ value, count }) => [value, count]))).toEqual(sites);
        const numberAt = numberReader(scan.columns, name);
        const values = [...fleet.rows.inOrder()]
          .filter((slot) => scan.matches[slot] === 1)
          .map(numberAt)
          .map((value) => (Number.isNaN(value) ? undefined : value));
        expect(values).toEqual(plainValues(wanted, name));
      }),
    );
  });

  test('go on behind a place by id, also where its device has gone', () => {
    fc.assert(
      fc.property(
        anyFleet,
        anyDeviceId,
        fc.constantFrom('asc' as const, 'desc' as const),
        (fleet, id, order) => {
          const sort = { by: 'deviceId' as const, order };
          const snapshot = snapshotOf(fleet.rows);
          const places = fleetPlaces(snapshot, {}, sort, NOW);
          const query = { places, sort, limit: 100, after: placeIndex(places, id) };
          const isAfter = (row: FleetRow) =>
            (fleet.notesOf(row.deviceId) & NOTE.retired) === 0 &&
            (order === 'asc' ? row.deviceId > id : row.deviceId < id);
          expect(listPage(snapshot, query, NOW).devices.map((device) => device.deviceId)).toEqual(
            plainOrder(fleet.plain.filter(isAfter), sort, NOW),
          );
        },
      ),
    );
  });
});
