import { type ArrivedEvent, type DeviceId, decodeEvent, rejection } from '@twinstream/device-model';
import type { QuarantinedEntry, QuarantinedRecord } from '@twinstream/quarantine';
import { openRecord, type StreamBatch } from '@twinstream/stream-model';
import type { DeviceBatch } from './project-device.ts';

/** A batch, decoded: what goes to which device, and what goes to quarantine. */
export interface OpenedBatch {
  readonly devices: readonly DeviceBatch[];
  readonly poison: readonly QuarantinedRecord[];
  readonly eventCount: number;
  /** Events whose partition key is not their device id. The device id governs. */
  readonly keyMismatchCount: number;
}

/** Decodes every record, opens aggregated ones, and groups the events by device in the order of the shard. Never throws. */
export function openBatch({ shardId, records }: StreamBatch): OpenedBatch {
  const devices = new Map<DeviceId, DeviceBatch & { arrived: ArrivedEvent[] }>();
  const poison: QuarantinedRecord[] = [];
  let eventCount = 0;
  let keyMismatchCount = 0;
  for (const record of records) {
    const { sequenceNumber, arrivalTime, partitionKey, data } = record;
    const invalid: QuarantinedEntry[] = [];
    const opened = openRecord(record);
    for (const entry of opened.entries) {
      const decoded =
        opened.status === 'damaged'
          ? rejection('damaged-aggregate', `the record begins like an aggregate: ${opened.damage}`)
          : decodeEvent(entry.data);
      if ('rejected' in decoded) {
        invalid.push({ reason: decoded.rejected, detail: decoded.detail, ...entry });
        continue;
      }
      const { event, text } = decoded;
      eventCount += 1;
      if (entry.partitionKey !== event.deviceId) keyMismatchCount += 1;
      const place = { sequenceNumber, subSequenceNumber: entry.subSequenceNumber };
      const arrival: ArrivedEvent = { place, arrivalTime, event, text };
      const device = devices.get(event.deviceId);
      if (device !== undefined) device.arrived.push(arrival);
      else {
        const { deviceId } = event;
        devices.set(deviceId, { deviceId, shardId, arrived: [arrival], from: sequenceNumber });
      }
    }
    if (invalid.length > 0) {
      poison.push({ shardId, sequenceNumber, arrivalTime, partitionKey, data, entries: invalid });
    }
  }
  return { devices: [...devices.values()], poison, eventCount, keyMismatchCount };
}
