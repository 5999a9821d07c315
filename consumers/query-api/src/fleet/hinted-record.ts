import type { _Record } from '@aws-sdk/client-kinesis';
import { type DeviceId, decodeEvent, isDeviceId } from '@twinstream/device-model';
import { openRecord, sequenceNumber } from '@twinstream/stream-model';
import type { HintedRecord } from './change-feed.ts';

// Whatever else in the text looks like a device id is a hint too many.
const DEVICE_ID = /"deviceId"\s*:\s*"([^"\\]{1,1024})"/g;
/** The backslash, with which JSON writes any character in another way. */
const ESCAPE = 0x5c;

/**
 * The devices that a record speaks of, as its events name them, whatever its partition key: never one fewer than the
 * projector finds. Looks at bytes where it can; an entry in which a backslash may hide a name is decoded.
 */
export function hintedRecord({
  SequenceNumber: number,
  PartitionKey: partitionKey = '',
  Data: data = new Uint8Array(),
  ApproximateArrivalTimestamp: arrival = new Date(0),
}: _Record): HintedRecord[] {
  if (number === undefined) return [];
  const deviceIds = new Set<DeviceId>();
  for (const entry of openRecord({ partitionKey, data }).entries) {
    for (const id of deviceIdsOf(entry.data)) deviceIds.add(id);
  }
  return [
    { sequenceNumber: sequenceNumber(number), arrivalTime: arrival.getTime(), deviceIds: [...deviceIds] },
  ];
}

function* deviceIdsOf(data: Uint8Array): Generator<DeviceId> {
  const { buffer, byteOffset, byteLength } = data;
  for (const [, id] of Buffer.from(buffer, byteOffset, byteLength).toString('latin1').matchAll(DEVICE_ID)) {
    const text = Buffer.from(id ?? '', 'latin1').toString('utf8');
    if (isDeviceId(text)) yield text;
  }
  if (!data.includes(ESCAPE)) return;
  const decoded = decodeEvent(data);
  if (!('rejected' in decoded)) yield decoded.event.deviceId;
}
