import { CONNECTION_STATUSES, LIVENESS, type Liveness } from '@twinstream/api-contract';
import { type DeviceId, LABELS, type Labels } from '@twinstream/device-model';
import type { SequenceNumber, ShardId } from '@twinstream/stream-model';
import { missedCount } from '@twinstream/table-generation/annotations';
import { isoTime, type TimelessDeviceJson } from '../../device-json.ts';
import type { LivenessPolicy, LivenessThresholds } from '../../liveness.ts';
import type { FleetRow } from '../fleet-row.ts';
import { type AttributeShape, parseShape, readAttributes, shapeAttributes } from './attribute-shape.ts';
import { type CellArena, createCellArena } from './cell-arena.ts';
import { createInternTable, type InternTable, NONE } from './intern-table.ts';
import { fitsCells, readSequence, SEQUENCE_CELLS, sequenceCell } from './sequence-cells.ts';

/** Numbers of a device, by slot. NaN: none. */
const NUMBERS = [
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
type NumberColumn = (typeof NUMBERS)[number];

/** References of a device, by slot: into the tables and the cells. */
const REFERENCES = ['address', 'attributesAddress', 'shape', 'shards', ...LABELS] as const;
type ReferenceColumn = (typeof REFERENCES)[number];

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

/** Labels, and what else has a text of its own in every row. */
type SavedText = string | null;
/**
 * A row as it is saved: numbers in the order of {@link NUMBERS} (null for none), status and flags, the keys of shape and shards, labels, and the
 * cells, in which a text stands in the place of its number. {@link SAVED_VERSION} counts the forms that this had.
 */
export type SavedRow = readonly [
  deviceId: DeviceId,
  numbers: readonly (number | null)[],
  status: number,
  flags: number,
  shape: string,
  shards: string,
  labels: readonly SavedText[],
  cells: readonly (number | string)[],
];
export const SAVED_VERSION = 3;

/** Types of devices with thresholds of their own that a byte tells apart. */
const THRESHOLDS_MAX = 255;

/**
 * Rows of the fleet as columns: what lists, filters and counts look at stands in typed arrays, by slot, and all the rest of a
 * device in a block of cells. A device keeps its slot for the life of the process, also when it leaves and comes back.
 */
export interface FleetColumns {
  /** Above every slot. */
  readonly slotsEnd: number;
  /** Devices that are present. */
  readonly size: number;
  readonly numbers: Readonly<Record<NumberColumn, Float64Array>>;
  readonly references: Readonly<Record<ReferenceColumn, Uint32Array>>;
  readonly bytes: Readonly<Record<ByteColumn, Uint8Array>>;
  readonly texts: InternTable<string>;
  readonly shapes: InternTable<AttributeShape>;
  readonly shardSets: InternTable<readonly ShardId[]>;
  /** By the byte `thresholds`. */
  readonly thresholds: readonly LivenessThresholds[];
  isPresent(slot: number): boolean;
  hasLeft(slot: number): boolean;
  isBehindMarks(slot: number): boolean;
  slotOf(deviceId: DeviceId): number | undefined;
  idOf(slot: number): DeviceId;
  livenessOf(slot: number): Liveness;
  /** Writes the row of a device in place of what stands there. */
  write(row: FleetRow, readTime: number, liveness: Liveness): number;
  remove(slot: number): void;
  /** What stands in a slot, to be saved: {@link FleetColumns.restore} makes the same row of it in any process. */
  save(slot: number): SavedRow;
  /** Writes a saved row of a device that is not present. Its liveness is not set. */
  restore(saved: SavedRow): number;
  /** Equal to the row that was written last. */
  rowAt(slot: number): FleetRow;
  /** A cell of the device's attributes. */
  attributeCell(slot: number, cell: number): number;
  /** A cell of the high-water mark of the device's n-th shard. */
  markCell(slot: number, shard: number, cell: number): number;
  textOf(number: number): string;
}

export function createFleetColumns(policy: LivenessPolicy): FleetColumns {
  return new TypedFleetColumns(policy);
}

const CAPACITY_MIN = 1_024;

class TypedFleetColumns implements FleetColumns {
  slotsEnd = 0;
  size = 0;
  numbers = newColumns(NUMBERS, () => new Float64Array(CAPACITY_MIN));
  references = newColumns(REFERENCES, () => new Uint32Array(CAPACITY_MIN));
  bytes = newColumns(BYTES, () => new Uint8Array(CAPACITY_MIN));
  readonly texts = createInternTable((text) => text);
  readonly shapes = createInternTable(parseShape);
  readonly shardSets = createInternTable((key) => key.split(' ').filter((id) => id !== '') as ShardId[]);
  readonly thresholds: readonly LivenessThresholds[];
  readonly #thresholdsOfType: ReadonlyMap<string, number>;
  readonly #cells: CellArena = createCellArena();
  readonly #ids: DeviceId[] = [];
  readonly #slots = new Map<DeviceId, number>();
  #capacity = CAPACITY_MIN;

  constructor({ default: usual, byType }: LivenessPolicy) {
    if (byType.size > THRESHOLDS_MAX)
      throw new RangeError(`more than ${THRESHOLDS_MAX} types with thresholds`);
    this.thresholds = [usual, ...byType.values()];
    this.#thresholdsOfType = new Map([...byType.keys()].map((type, index) => [type, index + 1]));
  }

  readonly textOf = (number: number): string => this.texts.at(number);
  readonly idOf = (slot: number): DeviceId => {
    const id = this.#ids[slot];
    if (id === undefined) throw new RangeError(`no device has slot ${slot}`);
    return id;
  };

  readonly slotOf = (deviceId: DeviceId): number | undefined => this.#slots.get(deviceId);
  readonly attributeCell = (slot: number, cell: number): number => {
    return this.#cells.read((this.references.attributesAddress[slot] ?? 0) + cell);
  };

  isPresent(slot: number): boolean {
    return this.#has(slot, FLAG.present);
  }

  hasLeft(slot: number): boolean {
    return this.#has(slot, FLAG.hasLeft);
  }

  isBehindMarks(slot: number): boolean {
    return this.#has(slot, FLAG.isBehindMarks);
  }

  livenessOf(slot: number): Liveness {
    return LIVENESS[this.bytes.liveness[slot] ?? 0] ?? 'unknown';
  }

  markCell(slot: number, shard: number, cell: number): number {
    return this.#cells.read((this.references.address[slot] ?? 0) + shard * SEQUENCE_CELLS + cell);
  }

  write(row: FleetRow, readTime: number, liveness: Liveness): number {
    const slot = this.#slots.get(row.deviceId) ?? this.#newSlot(row.deviceId);
    const { device } = row;
    const { numbers, references, bytes } = this;
    numbers.gapsTime[slot] = this.#gapsTime(slot, row);
    if (this.isPresent(slot)) this.#release(slot);
    else this.size += 1;
    numbers.page[slot] = row.page;
    numbers.readTime[slot] = readTime;
    numbers.lastArrivalTime[slot] = row.lastArrivalTime ?? Number.NaN;
    numbers.lastEventTime[slot] = row.lastEventTime ?? Number.NaN;
    numbers.alteredTime[slot] = row.alteredTime ?? Number.NaN;
    numbers.session[slot] = device.version?.session ?? Number.NaN;
    numbers.counter[slot] = device.version?.counter ?? Number.NaN;
    const { events, duplicates, late, gaps } = device.counts;
    numbers.events[slot] = events;
    numbers.duplicates[slot] = duplicates;
    numbers.late[slot] = late;
    numbers.gaps[slot] = gaps;
    for (const label of LABELS) references[label][slot] = this.#take(device.labels[label]);
    bytes.status[slot] = CONNECTION_STATUSES.indexOf(device.status);
    bytes.liveness[slot] = LIVENESS.indexOf(liveness);
    bytes.thresholds[slot] = this.#thresholdsOfType.get(device.labels.type ?? '') ?? 0;
    this.#writeCells(slot, row);
    return slot;
  }

  /** A new gap had opened when the device was heard last; of a gap that was there before its time stays. */
  #gapsTime(slot: number, { device: { counts }, lastArrivalTime }: FleetRow): number {
    if (counts.gaps === 0) return Number.NaN;
    const { gapsTime, late, gaps } = this.numbers;
    const held = this.isPresent(slot) ? (gapsTime[slot] ?? Number.NaN) : Number.NaN;
    const before = missedCount({ late: late[slot] ?? 0, gaps: gaps[slot] ?? 0 });
    return Number.isNaN(held) || missedCount(counts) > before ? (lastArrivalTime ?? Number.NaN) : held;
  }

  remove(slot: number): void {
    if (!this.isPresent(slot)) return;
    this.#release(slot);
    this.bytes.flags[slot] = 0;
    this.size -= 1;
  }

  save(slot: number): SavedRow {
    const shape = this.shapes.at(this.#ref('shape', slot));
    const shards = this.#shardsOf(slot);
    const start = this.#ref('address', slot);
    const texts = new Set(this.#textCells(slot, shape));
    const cells: (number | string)[] = [];
    for (let cell = 0; cell < this.#cellCount(slot); cell += 1) {
      const value = this.#cells.read(start + cell);
      cells.push(
        texts.has(cell) || (value < 0 && this.#isSequence(slot, cell)) ? this.textOf(Math.abs(value)) : value,
      );
    }
    return [
      this.idOf(slot),
      NUMBERS.map((name) => present(this.numbers[name][slot]) ?? null),
      this.bytes.status[slot] ?? 0,
      this.bytes.flags[slot] ?? 0,
      shape.key,
      shards.join(' '),
      LABELS.map((label) => this.#label(label, slot) ?? null),
      cells,
    ];
  }

  restore(saved: SavedRow): number {
    const [deviceId, numbers, status, flags, shape, shards, labels, cells] = saved;
    const slot = this.#slots.get(deviceId) ?? this.#newSlot(deviceId);
    this.size += 1;
    for (const [index, name] of NUMBERS.entries()) this.numbers[name][slot] = numbers[index] ?? Number.NaN;
    for (const [index, label] of LABELS.entries()) this.references[label][slot] = this.#take(labels[index]);
    this.bytes.status[slot] = status;
    this.bytes.thresholds[slot] = this.#thresholdsOfType.get(labels[LABELS.indexOf('type')] ?? '') ?? 0;
    const address = this.#place(slot, flags, shape, shards);
    for (const [cell, value] of cells.entries()) {
      const number = typeof value === 'number' ? value : this.texts.take(value);
      const isLong = typeof value === 'string' && this.#isSequence(slot, cell);
      this.#cells.write(address + cell, isLong ? -number : number);
    }
    return slot;
  }

  rowAt(slot: number): FleetRow {
    const { numbers } = this;
    const deviceId = this.idOf(slot);
    const labels: Labels = {};
    for (const label of LABELS) {
      const text = this.#label(label, slot);
      if (text !== undefined) labels[label] = text;
    }
    const marks = this.#marksAt(slot);
    const alteredTime = present(numbers.alteredTime[slot]);
    return {
      deviceId,
      page: numbers.page[slot] ?? 0,
      device: this.#deviceAt(slot, deviceId, labels, marks),
      lastArrivalTime: present(numbers.lastArrivalTime[slot]),
      hasLeft: this.hasLeft(slot),
      lastEventTime: present(numbers.lastEventTime[slot]),
      marks,
      isBehindMarks: this.isBehindMarks(slot),
      ...(alteredTime === undefined ? {} : { alteredTime }),
    };
  }

  #deviceAt(
    slot: number,
    deviceId: DeviceId,
    labels: Labels,
    marks: ReadonlyMap<ShardId, SequenceNumber>,
  ): TimelessDeviceJson {
    const { numbers } = this;
    const number = (name: NumberColumn) => numbers[name][slot] ?? 0;
    const session = present(numbers.session[slot]);
    const lastArrivalTime = present(numbers.lastArrivalTime[slot]);
    const [floorNumber, eventNumber] = this.#textNumbers(slot);
    return {
      deviceId,
      status: CONNECTION_STATUSES[this.bytes.status[slot] ?? 0] ?? 'unknown',
      attributes: readAttributes(
        this.shapes.at(this.#ref('shape', slot)),
        (cell) => this.attributeCell(slot, cell),
        this.textOf,
      ),
      ...(floorNumber === undefined ? {} : { attributesFloor: this.textOf(floorNumber) }),
      labels,
      version: session === undefined ? null : { session, counter: number('counter') },
      position: this.#positionAt(slot, marks),
      counts: {
        events: number('events'),
        duplicates: number('duplicates'),
        late: number('late'),
        gaps: number('gaps'),
      },
      lastEventTime: this.#eventTimeAt(slot, eventNumber),
      lastArrivalTime: lastArrivalTime === undefined ? null : isoTime(lastArrivalTime),
    };
  }

  #eventTimeAt(slot: number, textNumber: number | undefined): string | null {
    if (textNumber !== undefined) return this.textOf(textNumber);
    const timeMs = present(this.numbers.lastEventTime[slot]);
    return timeMs === undefined ? null : isoTime(timeMs);
  }

  #label(label: (typeof LABELS)[number], slot: number): string | undefined {
    const number = this.#ref(label, slot);
    return number === NONE ? undefined : this.textOf(number);
  }

  /** Numbers of the texts that some devices have: of the floor of the attributes, and of the last event's time. */
  #textNumbers(slot: number): [floor: number | undefined, eventTime: number | undefined] {
    const start = this.#ref('address', slot) + this.#textsStart(slot);
    const hasFloor = this.#has(slot, FLAG.hasFloor);
    return [
      hasFloor ? this.#cells.read(start) : undefined,
      this.#has(slot, FLAG.hasEventText) ? this.#cells.read(start + (hasFloor ? 1 : 0)) : undefined,
    ];
  }

  #shardsOf(slot: number): readonly ShardId[] {
    return this.shardSets.at(this.#ref('shards', slot));
  }

  #marksAt(slot: number): ReadonlyMap<ShardId, SequenceNumber> {
    return new Map(
      this.#shardsOf(slot).map((shardId, index) => [
        shardId,
        readSequence((cell) => this.markCell(slot, index, cell), this.textOf),
      ]),
    );
  }

  #positionAt(slot: number, marks: ReadonlyMap<ShardId, SequenceNumber>): TimelessDeviceJson['position'] {
    const start = this.#ref('address', slot) + this.#shardsOf(slot).length * SEQUENCE_CELLS;
    const cell = (index: number) => this.#cells.read(start + index);
    if (this.#has(slot, FLAG.hasMarkPosition)) {
      for (const [shardId, sequenceNumber] of marks)
        return { shardId, sequenceNumber, subSequenceNumber: cell(0) };
    }
    if (!this.#has(slot, FLAG.hasOtherPosition)) return null;
    return {
      shardId: this.textOf(cell(1)),
      sequenceNumber: readSequence((index) => cell(2 + index), this.textOf),
      subSequenceNumber: cell(0),
    };
  }

  // The cells of a device: its marks; its position, beginning with the place within the record; texts; attributes.

  #textsStart(slot: number): number {
    const markCells = this.#shardsOf(slot).length * SEQUENCE_CELLS;
    if (this.#has(slot, FLAG.hasMarkPosition)) return markCells + 1;
    return markCells + (this.#has(slot, FLAG.hasOtherPosition) ? 2 + SEQUENCE_CELLS : 0);
  }

  #attributesStart(slot: number): number {
    const flags = this.bytes.flags[slot] ?? 0;
    return (
      this.#textsStart(slot) +
      ((flags & FLAG.hasFloor) === 0 ? 0 : 1) +
      ((flags & FLAG.hasEventText) === 0 ? 0 : 1)
    );
  }

  /** Whether a cell is the first of a sequence number: of one that is too long for cells it holds a text, as a negative. */
  #isSequence(slot: number, cell: number): boolean {
    const markCells = this.#shardsOf(slot).length * SEQUENCE_CELLS;
    if (cell < markCells) return cell % SEQUENCE_CELLS === 0;
    return this.#has(slot, FLAG.hasOtherPosition) && cell === markCells + 2;
  }

  /** Cells that hold the number of a text. */
  *#textCells(slot: number, { textCells }: AttributeShape): Generator<number> {
    if (this.#has(slot, FLAG.hasOtherPosition)) yield this.#shardsOf(slot).length * SEQUENCE_CELLS + 1;
    const start = this.#attributesStart(slot);
    for (let cell = this.#textsStart(slot); cell < start; cell += 1) yield cell;
    for (const cell of textCells) yield start + cell;
  }

  #cellCount(slot: number): number {
    return this.#attributesStart(slot) + this.shapes.at(this.#ref('shape', slot)).cellCount;
  }

  #writeCells(slot: number, row: FleetRow): void {
    const { device, marks } = row;
    const { position, attributesFloor, lastEventTime } = device;
    const { key, cells } = shapeAttributes(device.attributes);
    const isWritten = lastEventTime === null || lastEventTime === isoText(row.lastEventTime ?? Number.NaN);
    const [firstMark] = marks;
    const isAtMark =
      position !== null && position.shardId === firstMark?.[0] && position.sequenceNumber === firstMark[1];
    const flags =
      FLAG.present |
      (row.hasLeft ? FLAG.hasLeft : 0) |
      (row.isBehindMarks ? FLAG.isBehindMarks : 0) |
      (isAtMark ? FLAG.hasMarkPosition : position === null ? 0 : FLAG.hasOtherPosition) |
      (attributesFloor === undefined ? 0 : FLAG.hasFloor) |
      (isWritten ? 0 : FLAG.hasEventText);
    const address = this.#place(slot, flags, key, [...marks.keys()].join(' '));
    let at = address;
    const add = (value: number) => this.#cells.write(at++, value);
    const addSequence = (number: SequenceNumber) => {
      const isLong = !fitsCells(number);
      for (let cell = 0; cell < SEQUENCE_CELLS; cell += 1) {
        add(isLong ? (cell === 0 ? -this.#take(number) : 0) : sequenceCell(number, cell));
      }
    };
    for (const number of marks.values()) addSequence(number);
    if (position !== null) {
      add(position.subSequenceNumber);
      if (!isAtMark) {
        add(this.#take(position.shardId));
        addSequence(position.sequenceNumber as SequenceNumber);
      }
    }
    if (attributesFloor !== undefined) add(this.#take(attributesFloor));
    if (!isWritten) add(this.#take(lastEventTime));
    for (const cell of cells) add(typeof cell === 'string' ? this.#take(cell) : cell);
  }

  /** Gives a slot the cells that a row of these needs. */
  #place(slot: number, flags: number, shape: string, shards: string): number {
    this.bytes.flags[slot] = flags;
    this.references.shape[slot] = this.shapes.take(shape);
    this.references.shards[slot] = this.shardSets.take(shards);
    const address = this.#cells.allocate(this.#cellCount(slot));
    this.references.address[slot] = address;
    this.references.attributesAddress[slot] = address + this.#attributesStart(slot);
    return address;
  }

  /** Gives back what the row in a slot refers to. */
  #release(slot: number): void {
    const shape = this.shapes.at(this.#ref('shape', slot));
    const start = this.#ref('address', slot);
    const markCells = this.#shardsOf(slot).length * SEQUENCE_CELLS;
    for (let cell = 0; cell < markCells; cell += SEQUENCE_CELLS) this.#releaseLong(start + cell);
    if (this.#has(slot, FLAG.hasOtherPosition)) this.#releaseLong(start + markCells + 2);
    for (const cell of this.#textCells(slot, shape)) this.texts.release(this.#cells.read(start + cell));
    for (const label of LABELS) this.texts.release(this.#ref(label, slot));
    this.#cells.free(start, this.#cellCount(slot));
    this.shapes.release(this.#ref('shape', slot));
    this.shardSets.release(this.#ref('shards', slot));
  }

  #releaseLong(address: number): void {
    const first = this.#cells.read(address);
    if (first < 0) this.texts.release(-first);
  }

  #take(text: string | null | undefined): number {
    return text === undefined || text === null ? NONE : this.texts.take(text);
  }

  #has(slot: number, flag: number): boolean {
    return ((this.bytes.flags[slot] ?? 0) & flag) !== 0;
  }

  #ref(name: ReferenceColumn, slot: number): number {
    return this.references[name][slot] ?? NONE;
  }

  #newSlot(deviceId: DeviceId): number {
    if (this.slotsEnd === this.#capacity) this.#grow();
    const slot = this.slotsEnd;
    this.slotsEnd += 1;
    this.#ids.push(deviceId);
    this.#slots.set(deviceId, slot);
    return slot;
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

function present(value: number | undefined): number | undefined {
  return value === undefined || Number.isNaN(value) ? undefined : value;
}

/** Undefined for a time that has no such text. */
function isoText(timeMs: number): string | undefined {
  return Math.abs(timeMs) <= 8.64e15 ? isoTime(timeMs) : undefined;
}
