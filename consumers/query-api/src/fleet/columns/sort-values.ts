import { ATTRIBUTE_PREFIX, CONNECTION_STATUSES } from '@twinstream/api-contract';
import { isColumn, type SortKey, type SortValue, sortableValue } from '../fleet-sort.ts';
import type { FleetColumns } from './fleet-columns.ts';
import { attributeReader, type FleetScan } from './fleet-scan.ts';
import { NONE } from './intern-table.ts';

/** Values by which devices are sorted: numbers alone, NaN where there is none, or anything. */
export type SortValues = Float64Array | readonly SortValue[];

type Reader = (slot: number) => SortValue;

/** What each of these devices is sorted by, in their order. */
export function sortValues(
  { columns, liveness }: Pick<FleetScan, 'columns' | 'liveness'>,
  slots: Uint32Array,
  by: Exclude<SortKey, 'deviceId'>,
): SortValues {
  const number = columnReader(columns, liveness, by);
  if (number === undefined) return Array.from(slots, textReader(columns, by));
  const values = new Float64Array(slots.length);
  for (let index = 0; index < slots.length; index += 1) values[index] = number(slots[index] ?? 0);
  return values;
}

/** Undefined where the values are not numbers alone. */
function columnReader(
  { numbers, shapes, references, attributeCell }: FleetColumns,
  livenessOf: FleetScan['liveness'],
  by: SortKey,
): ((slot: number) => number) | undefined {
  switch (by) {
    case 'liveness': {
      const liveness = livenessOf();
      return (slot) => liveness[slot] ?? 0;
    }
    case 'lastArrivalTime':
    case 'lastEventTime':
    case 'events':
    case 'duplicates':
    case 'late':
    case 'gaps': {
      const column = numbers[by];
      return (slot) => column[slot] ?? Number.NaN;
    }
    default: {
      if (isColumn(by)) return undefined;
      const name = by.slice(ATTRIBUTE_PREFIX.length);
      const cells: (number | undefined)[] = [];
      for (const [number, { byName }] of shapes.entries()) {
        const member = byName.get(name);
        if (member?.kind === 'text' || member?.kind === 'boolean') return undefined;
        if (member?.kind === 'number') cells[number] = member.cell;
      }
      return (slot) => {
        const cell = cells[references.shape[slot] ?? NONE];
        return cell === undefined ? Number.NaN : attributeCell(slot, cell);
      };
    }
  }
}

function textReader(columns: FleetColumns, by: SortKey): Reader {
  const { references, bytes } = columns;
  if (by === 'status') return (slot) => CONNECTION_STATUSES[bytes.status[slot] ?? 0];
  if (by === 'site' || by === 'type' || by === 'firmware') {
    return (slot) => {
      const number = references[by][slot] ?? NONE;
      return number === NONE ? undefined : columns.textOf(number);
    };
  }
  const read = attributeReader(columns, by.slice(ATTRIBUTE_PREFIX.length));
  return (slot) => sortableValue(read(slot));
}
