import {
  type ArrivedEvent,
  type DecodedEntry,
  type DeviceId,
  type EntryDecoder,
  ownFormatDecoder,
  rejection,
} from '@twinstream/device-model';
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
  /** What a mapping makes nothing of, on purpose. */
  readonly ignoredCount: number;
}

/** Decodes every record, opens aggregated ones, and groups the events by device in the order of the shard. Never throws. */
export function openBatch(
  { shardId, records }: StreamBatch,
  decoder: EntryDecoder = ownFormatDecoder,
): OpenedBatch {
  const devices = new Map<DeviceId, DeviceBatch & { arrived: ArrivedEvent[] }>();
  const poison: QuarantinedRecord[] = [];
  let eventCount = 0;
  let keyMismatchCount = 0;
  let ignoredCount = 0;
  for (const record of records) {
    const { sequenceNumber, arrivalTime, partitionKey, data } = record;
    const invalid: QuarantinedEntry[] = [];
    const opened = openRecord(record);
    for (const entry of opened.entries) {
      const { events, rejection, ignored } =
        opened.status === 'damaged' ? damaged(opened.damage) : decoder.decode(entry, arrivalTime);
      ignoredCount += ignored;
      if (rejection !== undefined) {
        const { rejected: reason, ...why } = rejection;
        invalid.push({ reason, ...why, ...entry });
      }
      for (const { subSequenceNumber, decoded } of events) {
        const { deviceId } = decoded.event;
        eventCount += 1;
        if (entry.partitionKey !== deviceId) keyMismatchCount += 1;
        const arrival: ArrivedEvent = {
          place: { sequenceNumber, subSequenceNumber },
          arrivalTime,
          ...decoded,
        };
        const device = devices.get(deviceId);
        if (device !== undefined) addInOrder(device.arrived, arrival);
        else devices.set(deviceId, { deviceId, shardId, arrived: [arrival], from: sequenceNumber });
      }
    }
    if (invalid.length > 0) {
      poison.push({ shardId, sequenceNumber, arrivalTime, partitionKey, data, entries: invalid });
    }
  }
  return { devices: [...devices.values()], poison, eventCount, keyMismatchCount, ignoredCount };
}

function damaged(damage: string): DecodedEntry {
  const detail = `the record begins like an aggregate: ${damage}`;
  return { events: [], rejection: rejection('damaged-aggregate', detail), ignored: 0 };
}

/** Adds an event by its place: an aggregated record may hold one whose place is above those of later entries. */
export function addInOrder(arrived: ArrivedEvent[], next: ArrivedEvent): void {
  const { sequenceNumber, subSequenceNumber } = next.place;
  const isAfter = ({ place }: ArrivedEvent) =>
    place.sequenceNumber === sequenceNumber && place.subSequenceNumber > subSequenceNumber;
  const last = arrived.at(-1);
  if (last === undefined || !isAfter(last)) arrived.push(next);
  else arrived.splice(arrived.findLastIndex((one) => !isAfter(one)) + 1, 0, next);
}
