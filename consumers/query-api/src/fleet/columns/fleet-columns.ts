import { CONNECTION_STATUSES, LIVENESS, type Liveness } from '@twinstream/api-contract';
import { type DeviceId, LABELS, type Labels } from '@twinstream/device-model';
import type { SequenceNumber, ShardId } from '@twinstream/stream-model';
import { missedCount } from '@twinstream/table-generation/annotations';
import { isoTime, type TimelessDeviceJson } from '../../device-json.ts';
import type { LivenessPolicy, LivenessThresholds } from '../../liveness.ts';
import type { FleetRow } from '../fleet-row.ts';
import type { AttributeShape } from './attribute-shape.ts';
import { type ColumnArrays, createColumnArrays, FLAG, NUMBERS, type NumberColumn } from './column-arrays.ts';
import { DeviceCells } from './device-cells.ts';
import { createIdText } from './id-text.ts';
import { type InternTable, NONE } from './intern-table.ts';
import type { SavedRow } from './saved-row.ts';

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
  readonly numbers: ColumnArrays['numbers'];
  readonly references: ColumnArrays['references'];
  readonly bytes: ColumnArrays['bytes'];
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
  /** By slot: 1 where the id has this text, in any letter case. The text is in lower case and has no line break. */
  idsWith(text: string): Uint8Array;
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

class TypedFleetColumns implements FleetColumns {
  slotsEnd = 0;
  size = 0;
  readonly thresholds: readonly LivenessThresholds[];
  readonly #thresholdsOfType: ReadonlyMap<string, number>;
  readonly #arrays = createColumnArrays();
  readonly #cells = new DeviceCells(this.#arrays);
  readonly texts = this.#cells.texts;
  readonly shapes = this.#cells.shapes;
  readonly shardSets = this.#cells.shardSets;
  readonly textOf = this.#cells.textOf;
  readonly attributeCell = this.#cells.attributeCell;
  readonly #idText = createIdText();
  readonly idsWith = this.#idText.search;
  readonly #ids: DeviceId[] = [];
  readonly #slots = new Map<DeviceId, number>();

  constructor({ default: usual, byType }: LivenessPolicy) {
    if (byType.size > THRESHOLDS_MAX)
      throw new RangeError(`more than ${THRESHOLDS_MAX} types with thresholds`);
    this.thresholds = [usual, ...byType.values()];
    this.#thresholdsOfType = new Map([...byType.keys()].map((type, index) => [type, index + 1]));
  }

  get numbers() {
    return this.#arrays.numbers;
  }

  get references() {
    return this.#arrays.references;
  }

  get bytes() {
    return this.#arrays.bytes;
  }

  readonly idOf = (slot: number): DeviceId => {
    const id = this.#ids[slot];
    if (id === undefined) throw new RangeError(`no device has slot ${slot}`);
    return id;
  };

  readonly slotOf = (deviceId: DeviceId): number | undefined => this.#slots.get(deviceId);

  isPresent(slot: number): boolean {
    return this.#cells.has(slot, FLAG.present);
  }

  hasLeft(slot: number): boolean {
    return this.#cells.has(slot, FLAG.hasLeft);
  }

  isBehindMarks(slot: number): boolean {
    return this.#cells.has(slot, FLAG.isBehindMarks);
  }

  livenessOf(slot: number): Liveness {
    return LIVENESS[this.bytes.liveness[slot] ?? 0] ?? 'unknown';
  }

  markCell(slot: number, shard: number, cell: number): number {
    return this.#cells.markCell(slot, shard, cell);
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
    for (const label of LABELS) references[label][slot] = this.#cells.take(device.labels[label]);
    bytes.status[slot] = CONNECTION_STATUSES.indexOf(device.status);
    bytes.liveness[slot] = LIVENESS.indexOf(liveness);
    bytes.thresholds[slot] = this.#thresholdsOfType.get(device.labels.type ?? '') ?? 0;
    this.#cells.write(slot, row);
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
    const { shape, shards, cells } = this.#cells.save(slot);
    return [
      this.idOf(slot),
      NUMBERS.map((name) => present(this.numbers[name][slot]) ?? null),
      this.bytes.status[slot] ?? 0,
      this.bytes.flags[slot] ?? 0,
      shape,
      shards,
      LABELS.map((label) => this.#label(label, slot) ?? null),
      cells,
    ];
  }

  restore(saved: SavedRow): number {
    const [deviceId, numbers, status, , , , labels] = saved;
    const slot = this.#slots.get(deviceId) ?? this.#newSlot(deviceId);
    this.size += 1;
    for (const [index, name] of NUMBERS.entries()) this.numbers[name][slot] = numbers[index] ?? Number.NaN;
    for (const [index, label] of LABELS.entries()) {
      this.references[label][slot] = this.#cells.take(labels[index]);
    }
    this.bytes.status[slot] = status;
    this.bytes.thresholds[slot] = this.#thresholdsOfType.get(labels[LABELS.indexOf('type')] ?? '') ?? 0;
    this.#cells.restore(slot, saved);
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
    const marks = this.#cells.marksAt(slot);
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
    const { floor, eventTime } = this.#cells.textsAt(slot);
    return {
      deviceId,
      status: CONNECTION_STATUSES[this.bytes.status[slot] ?? 0] ?? 'unknown',
      attributes: this.#cells.attributesAt(slot),
      ...(floor === undefined ? {} : { attributesFloor: floor }),
      labels,
      version: session === undefined ? null : { session, counter: number('counter') },
      position: this.#cells.positionAt(slot, marks),
      counts: {
        events: number('events'),
        duplicates: number('duplicates'),
        late: number('late'),
        gaps: number('gaps'),
      },
      lastEventTime: eventTime ?? textOfTime(present(numbers.lastEventTime[slot])),
      lastArrivalTime: textOfTime(present(numbers.lastArrivalTime[slot])),
    };
  }

  #label(label: (typeof LABELS)[number], slot: number): string | undefined {
    const number = this.references[label][slot] ?? NONE;
    return number === NONE ? undefined : this.textOf(number);
  }

  #release(slot: number): void {
    for (const label of LABELS) this.texts.release(this.references[label][slot] ?? NONE);
    this.#cells.release(slot);
  }

  #newSlot(deviceId: DeviceId): number {
    const slot = this.slotsEnd;
    this.#arrays.reach(slot);
    this.slotsEnd += 1;
    this.#ids.push(deviceId);
    this.#idText.add(deviceId);
    this.#slots.set(deviceId, slot);
    return slot;
  }
}

function present(value: number | undefined): number | undefined {
  return value === undefined || Number.isNaN(value) ? undefined : value;
}

function textOfTime(timeMs: number | undefined): string | null {
  return timeMs === undefined ? null : isoTime(timeMs);
}
