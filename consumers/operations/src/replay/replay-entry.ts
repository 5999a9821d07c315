import { type ArrivedEvent, type DeviceEvent, type DeviceId, decodeEvent } from '@twinstream/device-model';
import type { DeviceBatch } from '@twinstream/projection';
import {
  compareWithinShard,
  openRecord,
  type Position,
  positionKey,
  type ShardId,
  type ShardPosition,
  type StreamRecord,
} from '@twinstream/stream-model';
import type { ShardLedger } from './replay-job.ts';

/** Bytes that should be one event, with their place in the stream, whichever source they come from. */
export interface ReplayEntry extends Position {
  /** Milliseconds since 1970. */
  readonly arrivalTime: number;
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

/** Entries of one shard, positions rising, that are applied together. */
export interface ReplayBatch {
  readonly shardId: ShardId;
  readonly entries: readonly ReplayEntry[];
  /** Everything of the shard at or below it was in this batch or before; undefined where nothing more can be said. */
  readonly through?: ShardPosition | undefined;
  /** True where the shard has no more in this window. */
  readonly isLast?: boolean;
}

export function entriesOf(shardId: ShardId, record: StreamRecord): ReplayEntry[] {
  const { sequenceNumber, arrivalTime } = record;
  return openRecord(record).entries.map(({ subSequenceNumber, partitionKey, data }) => ({
    shardId,
    sequenceNumber,
    subSequenceNumber,
    arrivalTime,
    partitionKey,
    data,
  }));
}

/** Above every position of the record of this sequence number. */
export function endOfRecord({ sequenceNumber }: Pick<StreamRecord, 'sequenceNumber'>): ShardPosition {
  return { sequenceNumber, subSequenceNumber: Number.MAX_SAFE_INTEGER };
}

export function isAfter(place: ShardPosition, through: ShardPosition | undefined): boolean {
  return through === undefined || compareWithinShard(place, through) > 0;
}

/** Repaired bytes of entries that were redriven from quarantine, by position. */
export type Redriven = ReadonlyMap<string, Uint8Array>;

export function redrivenKey(position: Position): string {
  return positionKey(position);
}

export interface DecodeOptions {
  /** These alone; all where absent. */
  readonly devices?: ReadonlySet<DeviceId> | undefined;
  readonly redriven: Redriven;
  /** Whether a correction that names its target was refused as ahead of its device. */
  readonly isRefused: (entry: ReplayEntry, event: DeviceEvent) => Promise<boolean>;
}

/** An entry that is an event. */
export interface DecodedEntry {
  readonly entry: ReplayEntry;
  readonly arrived: ArrivedEvent;
  /** True for what was redriven from quarantine. */
  readonly isRedriven: boolean;
}

/** Decodes the entries of a batch, and counts invalid records, refused events, and those of other devices. */
export async function* decodeEntries(
  { entries }: ReplayBatch,
  { devices, redriven, isRefused }: DecodeOptions,
  ledger: ShardLedger,
): AsyncGenerator<DecodedEntry> {
  for (const entry of entries) {
    ledger.read += 1;
    ledger.bytes += entry.data.length;
    const repaired = redriven.size === 0 ? undefined : redriven.get(redrivenKey(entry));
    const decoded = decodeEvent(repaired ?? entry.data);
    const isRedriven = repaired !== undefined;
    if (
      'rejected' in decoded ||
      (!isRedriven &&
        decoded.event.correction?.corrects !== undefined &&
        (await isRefused(entry, decoded.event)))
    ) {
      ledger.quarantined += 1;
      continue;
    }
    const { event, text } = decoded;
    if (devices !== undefined && !devices.has(event.deviceId)) {
      ledger.skipped += 1;
      continue;
    }
    const { sequenceNumber, subSequenceNumber, arrivalTime } = entry;
    const place = { sequenceNumber, subSequenceNumber };
    yield { entry, arrived: { place, arrivalTime, event, text }, isRedriven };
  }
}

/** The events of a batch by device, in the order of the shard. */
export async function devicesOf(
  shardId: ReplayBatch['shardId'],
  decoded: AsyncIterable<DecodedEntry>,
): Promise<DeviceBatch[]> {
  const devices = new Map<DeviceId, DeviceBatch & { arrived: ArrivedEvent[] }>();
  for await (const { arrived } of decoded) {
    const { deviceId } = arrived.event;
    const device = devices.get(deviceId);
    if (device !== undefined) device.arrived.push(arrived);
    else devices.set(deviceId, { deviceId, shardId, arrived: [arrived], from: arrived.place.sequenceNumber });
  }
  return [...devices.values()];
}
