import type { FleetFilter, FleetSummary } from '@twinstream/api-contract';
import {
  type DeviceId,
  type DeviceState,
  deviceId,
  type JsonValue,
  newDevice,
  numberOf,
} from '@twinstream/device-model';
import { compareSequenceNumbers, type ShardId, sequenceNumber, shardId } from '@twinstream/stream-model';
import { TEST_TIME_MS } from '@twinstream/test-kit';
import fc from 'fast-check';
import { livenessColumn, scanFleet } from '../../src/fleet/columns/fleet-scan.ts';
import { fleetPredicate } from '../../src/fleet/fleet-filter.ts';
import type { FleetRow } from '../../src/fleet/fleet-row.ts';
import { createFleetRows, type FleetRows } from '../../src/fleet/fleet-rows.ts';
import { compareSortValues, type FleetSort, sortValue } from '../../src/fleet/fleet-sort.ts';
import type { ResumePoint } from '../../src/fleet/resume-token.ts';
import { hasTrouble, isInTrouble, isUnacknowledged, troubleIndexOf } from '../../src/fleet/trouble.ts';
import { type LivenessPolicy, livenessAt } from '../../src/liveness.ts';

/** The simple definition of every answer: rows as objects, looked at one by one. */

export const POLICY: LivenessPolicy = {
  default: { staleAfterMs: 120_000, offlineAfterMs: 900_000 },
  byType: new Map([['slow', { staleAfterMs: 3_600_000, offlineAfterMs: 7_200_000 }]]),
};
const SHARDS = ['a', 'b', 'c'].map((name) => shardId(`shardId-${name}`));

/** One shard lags. */
export function processedOf(shardIds: Iterable<ShardId>): number | undefined {
  return [...shardIds].includes(SHARDS[2] ?? shardId('none')) ? TEST_TIME_MS - 600_000 : undefined;
}

export function livenessOf(row: FleetRow, timeMs: number, processedMs = processedOf(row.marks.keys())) {
  const heard = {
    type: row.device.labels.type,
    lastArrivalTime: row.lastArrivalTime,
    hasLeft: row.hasLeft,
  };
  return livenessAt(POLICY, heard, timeMs, processedMs);
}

export function newRows(): FleetRows {
  return createFleetRows({ liveness: POLICY, livenessOf, processedOf });
}

/** The lists and counts of the compact rows. */
export function snapshotOf(rows: FleetRows) {
  const { columns } = rows;
  return {
    inOrder: rows.inOrder,
    ranks: rows.ranks,
    find: rows.find,
    livenessAt: livenessOf,
    notesOf: rows.notesOf,
    scan: (filter: FleetFilter, timeMs: number) =>
      scanFleet(columns, filter, () => livenessColumn(columns, timeMs, processedOf)),
  };
}

type NotesOf = (deviceId: DeviceId) => number;

export function plainMatches(
  rows: readonly FleetRow[],
  filter: FleetFilter,
  timeMs: number,
  notesOf: NotesOf = () => 0,
) {
  const matches = fleetPredicate(filter);
  return rows.filter((row) => matches(row, livenessOf(row, timeMs), notesOf(row.deviceId)));
}

export function plainOrder(rows: readonly FleetRow[], sort: FleetSort, timeMs: number): DeviceId[] {
  const compare = compareSortValues(sort);
  const sign = sort.by === 'deviceId' && sort.order === 'desc' ? -1 : 1;
  const sortedBy = (row: FleetRow) => sortValue(row, sort.by, livenessOf(row, timeMs));
  return [...rows]
    .sort((a, b) => compare(sortedBy(a), sortedBy(b)) || sign * (a.deviceId < b.deviceId ? -1 : 1))
    .map(({ deviceId: id }) => id);
}

export function plainCounts(
  rows: readonly FleetRow[],
  timeMs: number,
  notesOf: NotesOf = () => 0,
): Partial<FleetSummary> {
  const troubles = rows.map((row) =>
    troubleIndexOf(row.device, livenessOf(row, timeMs), notesOf(row.deviceId)),
  );
  const count = <Name extends string>(names: readonly Name[], nameOf: (row: FleetRow) => Name) =>
    Object.fromEntries(names.map((name) => [name, rows.filter((row) => nameOf(row) === name).length]));
  return {
    total: rows.length,
    byStatus: count(['connected', 'disconnected', 'unknown'], ({ device }) => device.status),
    byLiveness: count(['online', 'unknown', 'stale', 'offline'], (row) => livenessOf(row, timeMs)),
    inTrouble: troubles.filter(isInTrouble).length,
    byTrouble: {
      silent: troubles.filter((index) => hasTrouble(index, 'silent')).length,
      gaps: troubles.filter((index) => hasTrouble(index, 'gaps')).length,
    },
    unacknowledged: troubles.filter(isUnacknowledged).length,
  } as Partial<FleetSummary>;
}

export function plainValues(rows: readonly FleetRow[], name: string): (number | undefined)[] {
  return rows.map(({ device: { attributes } }) =>
    Object.hasOwn(attributes, name) ? numberOf(attributes[name]) : undefined,
  );
}

/** False only where the marks show that the device is as it was at that point. */
export function plainMarksChanged(
  row: Pick<FleetRow, 'marks' | 'isBehindMarks' | 'alteredTime'>,
  { seen, timeMs }: ResumePoint,
): boolean {
  if (row.isBehindMarks || (row.alteredTime !== undefined && row.alteredTime >= timeMs)) return true;
  return [...row.marks].some(([shard, mark]) => {
    const known = seen.get(shard);
    return known === undefined || compareSequenceNumbers(mark, known) > 0;
  });
}

export const anySequence = fc
  .oneof(
    { weight: 4, arbitrary: fc.bigInt({ min: 0n, max: 10n ** 56n }) },
    { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 10n ** 129n - 1n }) },
    { weight: 4, arbitrary: fc.bigInt({ min: 0n, max: 3n }) },
  )
  .map((big) => sequenceNumber(String(big)));
export const anyShard = fc.constantFrom(...SHARDS);
export const anySeen = fc
  .array(fc.tuple(anyShard, anySequence), { maxLength: 3 })
  .map((entries) => new Map(entries));

const anyNumber = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const anyScalar = fc.oneof(
  anyNumber,
  fc.integer({ min: -3, max: 30 }),
  fc.constantFrom('12345678901234567890', '7.0', 'open', '', 'S1'),
  fc.string({ maxLength: 5 }),
  fc.boolean(),
  fc.constant(null),
);
/** -0 becomes 0 where JSON is written. */
const anyValue: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 6, arbitrary: anyScalar },
  { weight: 1, arbitrary: fc.constantFrom(null, {}, []) },
  {
    weight: 1,
    arbitrary: fc.jsonValue({ maxDepth: 5 }).map((value) => JSON.parse(JSON.stringify(value)) as JsonValue),
  },
);
export const ATTRIBUTE_NAMES = ['x', 'y', '__proto__', '7', 'a:b}', 'site', 'type', 'firmware'] as const;
const LABEL_VALUES = ['S1', 's2', 'slow', '', 'x\ny'];
const anyAttributes = fc.dictionary(
  fc.constantFrom(...ATTRIBUTE_NAMES),
  fc.oneof(anyValue, fc.constantFrom(...LABEL_VALUES)),
  { noNullPrototype: false },
);
const IDS = ['b', 'B', 'a', 'ä', 'z-10', 'z-9', 'S1', 'q'].map(deviceId);
export const anyDeviceId = fc.constantFrom(...IDS);
const TIMES = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00Z', '2026-01-01T02:00:00.5+02:00'];

export const anyState: fc.Arbitrary<DeviceState> = fc
  .record({
    deviceId: anyDeviceId,
    page: fc.integer({ min: 1, max: 4 }),
    attributes: anyAttributes,
    status: fc.constantFrom('connected' as const, 'disconnected' as const, 'unknown' as const),
    counted: fc.option(fc.record({ session: fc.nat({ max: 3 }), counter: fc.nat({ max: 9 }) })),
    time: fc.option(fc.constantFrom(...TIMES)),
    silentMs: fc.option(fc.integer({ min: 0, max: 8_000_000 })),
    marks: fc.uniqueArray(fc.tuple(anyShard, anySequence), { selector: ([id]) => id, maxLength: 3 }),
    position: fc.option(fc.tuple(anyShard, anySequence, fc.nat({ max: 3 }))),
    atMark: fc.boolean(),
    hasFloor: fc.boolean(),
    gaps: fc.nat({ max: 2 }),
    events: fc.nat({ max: 3 }),
  })
  .map(({ deviceId: id, page, attributes, status, counted, time, silentMs, marks, ...rest }) => {
    const current = counted ?? { session: -1, counter: -1 };
    const version = { ...current, ordinal: 0, revision: 0 };
    const first = rest.atMark ? marks[0] : undefined;
    const place = first === undefined ? rest.position : ([...first, 2] as const);
    return {
      ...newDevice(id),
      page,
      attributes: new Map(Object.entries(attributes).map(([name, value]) => [name, { value, version }])),
      ...(rest.hasFloor ? { attributesFloor: version } : {}),
      status: { value: status, version },
      ...(time === null ? {} : { lastEventTime: { value: time, version } }),
      ...(silentMs === null ? {} : { lastArrivalTime: TEST_TIME_MS - silentMs }),
      ...(place === null
        ? {}
        : { position: { shardId: place[0], sequenceNumber: place[1], subSequenceNumber: place[2] } }),
      marks: new Map(
        marks.map(([shard, number]) => [
          shard,
          { sequenceNumber: number, subSequenceNumber: 0, arrivalTime: 0 },
        ]),
      ),
      current,
      counts: { events: rest.events, duplicates: 1, late: 0, gaps: rest.gaps },
    };
  });
