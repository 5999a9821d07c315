import type { DeviceJson } from '@twinstream/api-contract';
import type { SequenceNumber, ShardId } from '@twinstream/stream-model';
import { isoTime, type TimelessDeviceJson } from '../../device-json.ts';
import type { FleetRow } from '../fleet-row.ts';
import { type AttributeShape, parseShape, readAttributes, shapeAttributes } from './attribute-shape.ts';
import { type CellArena, createCellArena } from './cell-arena.ts';
import { type ColumnArrays, FLAG, type ReferenceColumn } from './column-arrays.ts';
import { createInternTable, type InternTable, NONE } from './intern-table.ts';
import type { SavedRow } from './saved-row.ts';
import { fitsCells, readSequence, SEQUENCE_CELLS, sequenceCell } from './sequence-cells.ts';

/**
 * What devices have besides their columns: for each a block of cells with its marks; its position, beginning with the place within
 * the record; texts that only some have; and its attributes. The columns `flags`, `shape`, `shards` and the addresses say what lies where.
 */
export class DeviceCells {
  readonly texts: InternTable<string> = createInternTable((text) => text);
  readonly shapes: InternTable<AttributeShape> = createInternTable(parseShape);
  readonly shardSets: InternTable<readonly ShardId[]> = createInternTable(
    (key) => key.split(' ').filter((id) => id !== '') as ShardId[],
  );
  readonly #arrays: ColumnArrays;
  readonly #cells: CellArena = createCellArena();

  constructor(arrays: ColumnArrays) {
    this.#arrays = arrays;
  }

  readonly textOf = (number: number): string => this.texts.at(number);
  readonly attributeCell = (slot: number, cell: number): number => {
    return this.#cells.read((this.#arrays.references.attributesAddress[slot] ?? 0) + cell);
  };

  markCell(slot: number, shard: number, cell: number): number {
    return this.#cells.read(this.#ref('address', slot) + shard * SEQUENCE_CELLS + cell);
  }

  /** The number of a text, with one more reference to it. */
  take(text: string | null | undefined): number {
    return text === undefined || text === null ? NONE : this.texts.take(text);
  }

  has(slot: number, flag: number): boolean {
    return (this.#flags(slot) & flag) !== 0;
  }

  attributesAt(slot: number): DeviceJson['attributes'] {
    const shape = this.shapes.at(this.#ref('shape', slot));
    return readAttributes(shape, (cell) => this.attributeCell(slot, cell), this.textOf);
  }

  /** The floor of the attributes, and the time of the last event as the device wrote it; each where it is held as a text. */
  textsAt(slot: number): { readonly floor: string | undefined; readonly eventTime: string | undefined } {
    const start = this.#ref('address', slot) + this.#textsStart(slot);
    const hasFloor = this.has(slot, FLAG.hasFloor);
    const text = (cell: number) => this.textOf(this.#cells.read(start + cell));
    return {
      floor: hasFloor ? text(0) : undefined,
      eventTime: this.has(slot, FLAG.hasEventText) ? text(hasFloor ? 1 : 0) : undefined,
    };
  }

  marksAt(slot: number): ReadonlyMap<ShardId, SequenceNumber> {
    return new Map(
      this.#shardsOf(slot).map((shardId, index) => [
        shardId,
        readSequence((cell) => this.markCell(slot, index, cell), this.textOf),
      ]),
    );
  }

  positionAt(slot: number, marks: ReadonlyMap<ShardId, SequenceNumber>): TimelessDeviceJson['position'] {
    const start = this.#ref('address', slot) + this.#shardsOf(slot).length * SEQUENCE_CELLS;
    const cell = (index: number) => this.#cells.read(start + index);
    if (this.has(slot, FLAG.hasMarkPosition)) {
      for (const [shardId, sequenceNumber] of marks)
        return { shardId, sequenceNumber, subSequenceNumber: cell(0) };
    }
    if (!this.has(slot, FLAG.hasOtherPosition)) return null;
    return {
      shardId: this.textOf(cell(1)),
      sequenceNumber: readSequence((index) => cell(2 + index), this.textOf),
      subSequenceNumber: cell(0),
    };
  }

  write(slot: number, row: FleetRow): void {
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
        add(isLong ? (cell === 0 ? -this.take(number) : 0) : sequenceCell(number, cell));
      }
    };
    for (const number of marks.values()) addSequence(number);
    if (position !== null) {
      add(position.subSequenceNumber);
      if (!isAtMark) {
        add(this.take(position.shardId));
        addSequence(position.sequenceNumber as SequenceNumber);
      }
    }
    if (attributesFloor !== undefined) add(this.take(attributesFloor));
    if (!isWritten) add(this.take(lastEventTime));
    for (const cell of cells) add(typeof cell === 'string' ? this.take(cell) : cell);
  }

  /** What {@link restore} makes the same cells of, in any process. */
  save(slot: number): { readonly shape: string; readonly shards: string; readonly cells: SavedRow[7] } {
    const shape = this.shapes.at(this.#ref('shape', slot));
    const start = this.#ref('address', slot);
    const texts = new Set(this.#textCells(slot, shape));
    const cells: (number | string)[] = [];
    for (let cell = 0; cell < this.#cellCount(slot); cell += 1) {
      const value = this.#cells.read(start + cell);
      cells.push(
        texts.has(cell) || (value < 0 && this.#isSequence(slot, cell)) ? this.textOf(Math.abs(value)) : value,
      );
    }
    return { shape: shape.key, shards: this.#shardsOf(slot).join(' '), cells };
  }

  restore(slot: number, [, , , flags, shape, shards, , cells]: SavedRow): void {
    const address = this.#place(slot, flags, shape, shards);
    for (const [cell, value] of cells.entries()) {
      const number = typeof value === 'number' ? value : this.texts.take(value);
      const isLong = typeof value === 'string' && this.#isSequence(slot, cell);
      this.#cells.write(address + cell, isLong ? -number : number);
    }
  }

  /** Gives back the cells of a slot, and what they refer to. */
  release(slot: number): void {
    const shape = this.shapes.at(this.#ref('shape', slot));
    const start = this.#ref('address', slot);
    const markCells = this.#shardsOf(slot).length * SEQUENCE_CELLS;
    for (let cell = 0; cell < markCells; cell += SEQUENCE_CELLS) this.#releaseLong(start + cell);
    if (this.has(slot, FLAG.hasOtherPosition)) this.#releaseLong(start + markCells + 2);
    for (const cell of this.#textCells(slot, shape)) this.texts.release(this.#cells.read(start + cell));
    this.#cells.free(start, this.#cellCount(slot));
    this.shapes.release(this.#ref('shape', slot));
    this.shardSets.release(this.#ref('shards', slot));
  }

  #releaseLong(address: number): void {
    const first = this.#cells.read(address);
    if (first < 0) this.texts.release(-first);
  }

  /** Gives a slot the cells that a row of these needs. */
  #place(slot: number, flags: number, shape: string, shards: string): number {
    this.#arrays.bytes.flags[slot] = flags;
    this.#arrays.references.shape[slot] = this.shapes.take(shape);
    this.#arrays.references.shards[slot] = this.shardSets.take(shards);
    const address = this.#cells.allocate(this.#cellCount(slot));
    this.#arrays.references.address[slot] = address;
    this.#arrays.references.attributesAddress[slot] = address + this.#attributesStart(slot);
    return address;
  }

  #shardsOf(slot: number): readonly ShardId[] {
    return this.shardSets.at(this.#ref('shards', slot));
  }

  #textsStart(slot: number): number {
    const markCells = this.#shardsOf(slot).length * SEQUENCE_CELLS;
    if (this.has(slot, FLAG.hasMarkPosition)) return markCells + 1;
    return markCells + (this.has(slot, FLAG.hasOtherPosition) ? 2 + SEQUENCE_CELLS : 0);
  }

  #attributesStart(slot: number): number {
    const flags = this.#flags(slot);
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
    return this.has(slot, FLAG.hasOtherPosition) && cell === markCells + 2;
  }

  /** Cells that hold the number of a text. */
  *#textCells(slot: number, { textCells }: AttributeShape): Generator<number> {
    if (this.has(slot, FLAG.hasOtherPosition)) yield this.#shardsOf(slot).length * SEQUENCE_CELLS + 1;
    const start = this.#attributesStart(slot);
    for (let cell = this.#textsStart(slot); cell < start; cell += 1) yield cell;
    for (const cell of textCells) yield start + cell;
  }

  #cellCount(slot: number): number {
    return this.#attributesStart(slot) + this.shapes.at(this.#ref('shape', slot)).cellCount;
  }

  #flags(slot: number): number {
    return this.#arrays.bytes.flags[slot] ?? 0;
  }

  #ref(name: ReferenceColumn, slot: number): number {
    return this.#arrays.references[name][slot] ?? NONE;
  }
}

/** Undefined for a time that has no such text. */
function isoText(timeMs: number): string | undefined {
  return Math.abs(timeMs) <= 8.64e15 ? isoTime(timeMs) : undefined;
}
