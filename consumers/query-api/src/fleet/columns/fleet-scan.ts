import {
  type AttributeCondition,
  CONNECTION_STATUSES,
  type FleetFilter,
  LIVENESS,
  type Liveness,
} from '@twinstream/api-contract';
import { type JsonValue, numberOf } from '@twinstream/device-model';
import type { ShardId } from '@twinstream/stream-model';
import { NOTE } from '@twinstream/table-generation/annotations';
import { livenessIndex } from '../../liveness.ts';
import { numberPredicate, valuePredicate } from '../attribute-condition.ts';
import { searchText } from '../fleet-row.ts';
import { isSilent, troubleIndex, troubleTable } from '../trouble.ts';
import { memberValue } from './attribute-shape.ts';
import { FLAG } from './column-arrays.ts';
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
  /** By slot, the index of the liveness at the moment. Made when it is first asked for. */
  readonly liveness: () => Uint8Array;
}

type SlotTest = (slot: number) => boolean;

/** Liveness of all devices at a moment (milliseconds since 1970), by slot, as its index. */
export function livenessColumn(columns: FleetColumns, timeMs: number, processedOf: ProcessedOf): Uint8Array {
  const { lastArrivalTime } = columns.numbers;
  const { shards } = columns.references;
  const { flags, thresholds } = columns.bytes;
  const known: number[] = [];
  for (const [number, shardIds] of columns.shardSets.entries()) {
    known[number] = Math.min(timeMs, processedOf(shardIds) ?? timeMs);
  }
  const column = new Uint8Array(columns.slotsEnd);
  const offline = LIVENESS.indexOf('offline');
  for (let slot = 0; slot < column.length; slot += 1) {
    const arrivalTime = lastArrivalTime[slot] ?? Number.NaN;
    const own = columns.thresholds[thresholds[slot] ?? 0];
    const hasLeft = ((flags[slot] ?? 0) & FLAG.hasLeft) !== 0;
    column[slot] =
      hasLeft || Number.isNaN(arrivalTime) || own === undefined
        ? offline
        : livenessIndex(own, arrivalTime, timeMs, known[shards[slot] ?? NONE] ?? timeMs);
  }
  return column;
}

/**
 * The devices that meet a filter, as {@link fleetPredicate} says of single rows.
 *
 * @param livenessOf by slot, asked for once at most
 */
export function scanFleet(
  columns: FleetColumns,
  filter: FleetFilter,
  livenessOf: () => Uint8Array,
): FleetScan {
  let known: Uint8Array | undefined;
  const liveness = () => {
    known ??= livenessOf();
    return known;
  };
  const matches = candidates(columns, filter);
  for (const meets of slotTests(columns, filter, liveness)) {
    for (let slot = 0; slot < matches.length; slot += 1) {
      if (matches[slot] === 1 && !meets(slot)) matches[slot] = 0;
    }
  }
  let count = 0;
  for (let slot = 0; slot < matches.length; slot += 1) count += matches[slot] ?? 0;
  return { columns, matches, count, liveness };
}

/** Devices that are present and retired or not, as is asked for, and among those that are named, where any are. */
function candidates(columns: FleetColumns, { ids, retired = 'false' }: FleetFilter): Uint8Array {
  const matches = new Uint8Array(columns.slotsEnd);
  const { flags, notes } = columns.bytes;
  const isCandidate = (slot: number) => {
    if (((flags[slot] ?? 0) & FLAG.present) === 0) return false;
    return retired === 'any' || (retired === 'true') === (((notes[slot] ?? 0) & NOTE.retired) !== 0);
  };
  if (ids === undefined) {
    for (let slot = 0; slot < matches.length; slot += 1) matches[slot] = isCandidate(slot) ? 1 : 0;
    return matches;
  }
  for (const id of ids) {
    const slot = columns.slotOf(id);
    if (slot !== undefined && isCandidate(slot)) matches[slot] = 1;
  }
  return matches;
}

function slotTests(columns: FleetColumns, filter: FleetFilter, livenessOf: () => Uint8Array): SlotTest[] {
  const { references, bytes, texts } = columns;
  const tests: SlotTest[] = [];
  const { status, liveness: wanted, trouble, acknowledged, q, attr = [] } = filter;
  if (status !== undefined) {
    const index = CONNECTION_STATUSES.indexOf(status);
    tests.push((slot) => bytes.status[slot] === index);
  }
  if (wanted !== undefined) {
    const index = LIVENESS.indexOf(wanted);
    const liveness = livenessOf();
    tests.push((slot) => liveness[slot] === index);
  }
  for (const label of ['site', 'type', 'firmware'] as const) {
    const text = filter[label];
    if (text === undefined) continue;
    const number = texts.numberOf(text);
    const column = references[label];
    tests.push((slot) => number !== NONE && column[slot] === number);
  }
  if (trouble !== undefined || acknowledged !== undefined) {
    const meets = troubleTable(trouble, acknowledged);
    const indexOf = troubleIndexes(columns, livenessOf());
    tests.push((slot) => meets[indexOf(slot)] === true);
  }
  for (const condition of attr) tests.push(attributeTest(columns, condition));
  if (q !== undefined) tests.push(searchTest(columns, q.toLowerCase()));
  return tests;
}

/** The {@link troubleIndex} of a slot. Of devices without any trouble none is made. */
export function troubleIndexes(columns: FleetColumns, liveness: Uint8Array): (slot: number) => number {
  const silent = silentTable();
  const { bytes, numbers } = columns;
  return (slot) => {
    const isSilentNow = silent[(bytes.status[slot] ?? 0) * LIVENESS.length + (liveness[slot] ?? 0)] === true;
    const gaps = numbers.gaps[slot] ?? 0;
    return isSilentNow || gaps > 0 ? troubleIndex(isSilentNow, gaps, bytes.notes[slot] ?? 0) : 0;
  };
}

/** Whether a device is silent, by its status and liveness. */
function silentTable(): readonly boolean[] {
  return CONNECTION_STATUSES.flatMap((status) =>
    LIVENESS.map((liveness: Liveness) => isSilent(status, liveness)),
  );
}

/** What devices have under the name of an attribute. */
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

/** Numbers that devices have under the name of an attribute, as numbers or as texts of their digits; NaN for others. */
export function numberReader(columns: FleetColumns, name: string): (slot: number) => number {
  const members = membersByShape(columns, name);
  const { shape } = columns.references;
  const ofText = onceByNumber((number) => numberOf(columns.textOf(number)) ?? Number.NaN);
  return (slot) => {
    const member = members[shape[slot] ?? NONE];
    if (member?.kind === 'number') return columns.attributeCell(slot, member.cell);
    return member?.kind === 'text' ? ofText(columns.attributeCell(slot, member.cell)) : Number.NaN;
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
  const numberCells = Int32Array.from(members, (member) => (member?.kind === 'number' ? member.cell : -1));
  const { shape } = columns.references;
  const { attributeCell } = columns;
  const meetsNumber = numberPredicate(condition);
  const meetsText = onceByNumber((number) => meets(columns.textOf(number)));
  const ofAbsent = meets(undefined);
  const [ofFalse, ofTrue, ofNull] = [meets(false), meets(true), meets(null)];
  return (slot) => {
    const number = shape[slot] ?? NONE;
    const numberCell = numberCells[number] ?? -1;
    if (numberCell >= 0) return meetsNumber(attributeCell(slot, numberCell));
    const member = members[number];
    if (member === undefined) return ofAbsent;
    switch (member.kind) {
      case 'text':
        return meetsText(attributeCell(slot, member.cell));
      case 'boolean':
        return attributeCell(slot, member.cell) === 0 ? ofFalse : ofTrue;
      default:
        // Objects and lists meet what null does.
        return ofNull;
    }
  };
}

/** Looks for a text in the parts of the search text one by one; only one with a line break lies in two of them. */
function searchTest(columns: FleetColumns, q: string): SlotTest {
  if (q.includes('\n') || !q.isWellFormed()) {
    return (slot) => searchText(columns.rowAt(slot).device).includes(q);
  }
  const { site, type, firmware } = columns.references;
  const isInId = columns.idsWith(q);
  const has = onceByNumber((number) => number !== NONE && columns.textOf(number).toLowerCase().includes(q));
  return (slot) =>
    isInId[slot] === 1 || has(site[slot] ?? NONE) || has(type[slot] ?? NONE) || has(firmware[slot] ?? NONE);
}

/** Decides once for each number. */
function onceByNumber<Answer>(decide: (number: number) => Answer): (number: number) => Answer {
  const known: (Answer | undefined)[] = [];
  return (number) => {
    const answer = known[number] ?? decide(number);
    known[number] = answer;
    return answer;
  };
}
