import {
  type AttributeCondition,
  CONNECTION_STATUSES,
  type FleetFilter,
  LIVENESS,
  type Liveness,
} from '@twinstream/api-contract';
import type { JsonValue } from '@twinstream/device-model';
import type { ShardId } from '@twinstream/stream-model';
import { livenessAfter } from '../../liveness.ts';
import { valuePredicate } from '../attribute-condition.ts';
import { isSilent } from '../trouble.ts';
import { memberValue } from './attribute-shape.ts';
import type { FleetColumns } from './fleet-columns.ts';
import { NONE } from './intern-table.ts';

/** Up to when what arrived in all of these shards has been processed, milliseconds since 1970; undefined while that is unknown. */
export type ProcessedOf = (shardIds: Iterable<ShardId>) => number | undefined;

/** The devices that meet a filter at a moment. Good until the next wait: columns change in place afterwards. */
export interface FleetScan {
  readonly columns: FleetColumns;
  /** By slot: 1 where the device meets the filter. */
  readonly matches: Uint8Array;
  readonly count: number;
  /** By slot, the index of the liveness at the moment. */
  readonly liveness: Uint8Array;
}

type SlotTest = (slot: number) => boolean;

/** Liveness of all devices at a moment (milliseconds since 1970), by slot, as its index. */
export function livenessColumn(columns: FleetColumns, timeMs: number, processedOf: ProcessedOf): Uint8Array {
  const { numbers, references, bytes, thresholds, slotsEnd } = columns;
  const processed: (number | undefined)[] = [];
  for (const [number, shardIds] of columns.shardSets.entries()) processed[number] = processedOf(shardIds);
  const column = new Uint8Array(slotsEnd);
  const offline = LIVENESS.indexOf('offline');
  const [usual] = thresholds;
  for (let slot = 0; slot < slotsEnd; slot += 1) {
    const lastArrivalTime = numbers.lastArrivalTime[slot] ?? Number.NaN;
    const own = thresholds[bytes.thresholds[slot] ?? 0] ?? usual;
    column[slot] =
      Number.isNaN(lastArrivalTime) || own === undefined || columns.hasLeft(slot)
        ? offline
        : LIVENESS.indexOf(
            livenessAfter(own, lastArrivalTime, timeMs, processed[references.shards[slot] ?? NONE]),
          );
  }
  return column;
}

/** The devices that meet a filter, as {@link fleetPredicate} says of single rows. @param liveness by slot */
export function scanFleet(columns: FleetColumns, filter: FleetFilter, liveness: Uint8Array): FleetScan {
  const matches = new Uint8Array(columns.slotsEnd);
  let count = 0;
  const tests = slotTests(columns, filter, liveness);
  const check = (slot: number) => {
    if (!columns.isPresent(slot)) return;
    for (const meets of tests) if (!meets(slot)) return;
    matches[slot] = 1;
    count += 1;
  };
  if (filter.ids === undefined) for (let slot = 0; slot < columns.slotsEnd; slot += 1) check(slot);
  else {
    // A request for a few devices does not look at all.
    const slots = filter.ids.map((id) => columns.slotOf(id)).filter((slot) => slot !== undefined);
    for (const slot of new Set(slots)) check(slot);
  }
  return { columns, matches, count, liveness };
}

function slotTests(columns: FleetColumns, filter: FleetFilter, liveness: Uint8Array): SlotTest[] {
  const { references, bytes, numbers, texts } = columns;
  const tests: SlotTest[] = [];
  const { status, liveness: wanted, trouble, q, attr = [] } = filter;
  if (status !== undefined) {
    const index = CONNECTION_STATUSES.indexOf(status);
    tests.push((slot) => bytes.status[slot] === index);
  }
  if (wanted !== undefined) {
    const index = LIVENESS.indexOf(wanted);
    tests.push((slot) => liveness[slot] === index);
  }
  for (const label of ['site', 'type', 'firmware'] as const) {
    const text = filter[label];
    if (text === undefined) continue;
    const number = texts.numberOf(text);
    const column = references[label];
    tests.push((slot) => number !== NONE && column[slot] === number);
  }
  if (trouble !== undefined) {
    const silent = silentTable();
    const isTroubled = (slot: number) => ({
      silent: silent[(bytes.status[slot] ?? 0) * LIVENESS.length + (liveness[slot] ?? 0)] === true,
      gaps: (numbers.gaps[slot] ?? 0) > 0,
    });
    if (trouble === 'silent' || trouble === 'gaps') tests.push((slot) => isTroubled(slot)[trouble]);
    else {
      const isWanted = trouble === 'any';
      tests.push((slot) => {
        const { silent, gaps } = isTroubled(slot);
        return (silent || gaps) === isWanted;
      });
    }
  }
  for (const condition of attr) tests.push(attributeTest(columns, condition));
  if (q !== undefined) tests.push(searchTest(columns, q.toLowerCase()));
  return tests;
}

/** Whether a device is silent, by its status and liveness. */
export function silentTable(): readonly boolean[] {
  return CONNECTION_STATUSES.flatMap((status) =>
    LIVENESS.map((liveness: Liveness) => isSilent(status, liveness)),
  );
}

/** What devices have under the name of an attribute, at the speed of a look into a column. */
export function attributeReader(
  columns: FleetColumns,
  name: string,
): (slot: number) => JsonValue | undefined {
  const members = membersByShape(columns, name);
  const { shape } = columns.references;
  return (slot) => {
    const member = members[shape[slot] ?? NONE];
    if (member === undefined) return undefined;
    return memberValue(member, (cell) => columns.attributeCell(slot, cell), columns.textOf);
  };
}

function membersByShape(columns: FleetColumns, name: string) {
  const members: (ReturnType<FleetColumns['shapes']['at']>['members'][number] | undefined)[] = [];
  for (const [number, shape] of columns.shapes.entries()) members[number] = shape.byName.get(name);
  return members;
}

/** A test of an attribute: each text is tested once, a number where it stands. */
function attributeTest(columns: FleetColumns, condition: AttributeCondition): SlotTest {
  const meets = valuePredicate(condition);
  const members = membersByShape(columns, condition.name);
  const { shape } = columns.references;
  const meetsText = onceByNumber((number) => meets(columns.textOf(number)));
  const ofAbsent = meets(undefined);
  const [ofFalse, ofTrue, ofNull] = [meets(false), meets(true), meets(null)];
  return (slot) => {
    const member = members[shape[slot] ?? NONE];
    if (member === undefined) return ofAbsent;
    switch (member.kind) {
      case 'number':
        return meets(columns.attributeCell(slot, member.cell));
      case 'text':
        return meetsText(columns.attributeCell(slot, member.cell));
      case 'boolean':
        return columns.attributeCell(slot, member.cell) === 0 ? ofFalse : ofTrue;
      default:
        // Objects and lists meet what null does.
        return ofNull;
    }
  };
}

/** Looks for a text in the parts of the search text one by one; only one with a line break lies in two of them. */
function searchTest(columns: FleetColumns, q: string): SlotTest {
  if (q.includes('\n')) return (slot) => columns.rowAt(slot).searchText.includes(q);
  const { site, type, firmware } = columns.references;
  const has = onceByNumber((number) => columns.textOf(number).toLowerCase().includes(q));
  const hasLabel = (number: number | undefined) => number !== undefined && number !== NONE && has(number);
  return (slot) =>
    columns.idOf(slot).toLowerCase().includes(q) ||
    hasLabel(site[slot]) ||
    hasLabel(type[slot]) ||
    hasLabel(firmware[slot]);
}

/** Decides once for each number. */
function onceByNumber(decide: (number: number) => boolean): (number: number) => boolean {
  const known: (boolean | undefined)[] = [];
  return (number) => {
    const answer = known[number] ?? decide(number);
    known[number] = answer;
    return answer;
  };
}
