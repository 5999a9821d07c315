import { LABELS } from '@twinstream/device-model';

/** Numbers of a device, by slot. NaN: none. */
export const NUMBERS = [
  'page',
  'readTime',
  'lastArrivalTime',
  'lastEventTime',
  'alteredTime',
  'session',
  'counter',
  'events',
  'duplicates',
  'late',
  'gaps',
  /** When the newest gap had opened at the latest, milliseconds since 1970. */
  'gapsTime',
] as const;
export type NumberColumn = (typeof NUMBERS)[number];

/** References of a device, by slot: into the tables and the cells. */
const REFERENCES = ['address', 'attributesAddress', 'shape', 'shards', ...LABELS] as const;
export type ReferenceColumn = (typeof REFERENCES)[number];

/** Bytes of a device, by slot. */
const BYTES = ['flags', 'status', 'liveness', 'thresholds', 'notes'] as const;
type ByteColumn = (typeof BYTES)[number];

/** Bits of `flags`. */
export const FLAG = {
  present: 1,
  hasLeft: 2,
  isBehindMarks: 4,
  /** The position is the first high-water mark, but for its place within the record. */
  hasMarkPosition: 8,
  hasOtherPosition: 16,
  hasFloor: 32,
  /** The device wrote the time of its last event in another way than ISO 8601 with milliseconds. */
  hasEventText: 64,
} as const;

/** Columns by their names, each an array by slot. Larger arrays take their place when they grow. */
export interface ColumnArrays {
  readonly numbers: Readonly<Record<NumberColumn, Float64Array>>;
  readonly references: Readonly<Record<ReferenceColumn, Uint32Array>>;
  readonly bytes: Readonly<Record<ByteColumn, Uint8Array>>;
  /** Gives this slot room in every column. */
  reach(slot: number): void;
}

const CAPACITY_MIN = 1_024;

export function createColumnArrays(): ColumnArrays {
  return new GrowingArrays();
}

class GrowingArrays implements ColumnArrays {
  numbers = newColumns(NUMBERS, () => new Float64Array(CAPACITY_MIN));
  references = newColumns(REFERENCES, () => new Uint32Array(CAPACITY_MIN));
  bytes = newColumns(BYTES, () => new Uint8Array(CAPACITY_MIN));
  #capacity = CAPACITY_MIN;

  reach(slot: number): void {
    while (slot >= this.#capacity) this.#grow();
  }

  #grow(): void {
    this.#capacity = Math.ceil(this.#capacity * 1.5);
    const { numbers, references, bytes } = this;
    this.numbers = newColumns(NUMBERS, (name) => grown(numbers[name], new Float64Array(this.#capacity)));
    this.references = newColumns(REFERENCES, (name) =>
      grown(references[name], new Uint32Array(this.#capacity)),
    );
    this.bytes = newColumns(BYTES, (name) => grown(bytes[name], new Uint8Array(this.#capacity)));
  }
}

function newColumns<const Name extends string, Column>(
  names: readonly Name[],
  make: (name: Name) => Column,
): Record<Name, Column> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Column>;
}

function grown<Column extends { set(values: Column): void }>(column: Column, larger: Column): Column {
  larger.set(column);
  return larger;
}
