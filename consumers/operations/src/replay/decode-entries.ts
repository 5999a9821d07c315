import { type ArrivedEvent, type DeviceId, decodeEvent } from '@twinstream/device-model';
import type { DeviceBatch } from '@twinstream/projection';
import { type Position, positionKey } from '@twinstream/stream-model';
import type { ShardLedger } from './ledger.ts';
import type { ReplayBatch, ReplayEntry } from './replay-entry.ts';

/** Repaired bytes of entries that were redriven from quarantine, by position. */
export type Redriven = ReadonlyMap<string, Uint8Array>;

export function redrivenKey(position: Position): string {
  return positionKey(position);
}

export interface DecodeOptions {
  /** These alone; all where absent. */
  readonly devices?: ReadonlySet<DeviceId> | undefined;
  readonly redriven: Redriven;
}

/** An entry that is an event. */
export interface DecodedEntry {
  readonly entry: ReplayEntry;
  readonly arrived: ArrivedEvent;
  /** True for what was redriven from quarantine. */
  readonly isRedriven: boolean;
}

/** Decodes the entries of a batch, and counts what is no event or not asked for. */
export function* decodeEntries(
  { entries }: ReplayBatch,
  { devices, redriven }: DecodeOptions,
  ledger: ShardLedger,
): Generator<DecodedEntry> {
  for (const entry of entries) {
    ledger.read += 1;
    ledger.bytes += entry.data.length;
    let decoded = decodeEvent(entry.data);
    const isRedriven = 'rejected' in decoded;
    if (isRedriven && redriven.size > 0) {
      const repaired = redriven.get(redrivenKey(entry));
      if (repaired !== undefined) decoded = decodeEvent(repaired);
    }
    if ('rejected' in decoded) {
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
export function devicesOf(shardId: ReplayBatch['shardId'], decoded: Iterable<DecodedEntry>): DeviceBatch[] {
  const devices = new Map<DeviceId, DeviceBatch & { arrived: ArrivedEvent[] }>();
  for (const { arrived } of decoded) {
    const { deviceId } = arrived.event;
    const device = devices.get(deviceId);
    if (device !== undefined) device.arrived.push(arrived);
    else devices.set(deviceId, { deviceId, shardId, arrived: [arrived], from: arrived.place.sequenceNumber });
  }
  return [...devices.values()];
}
