import type { _Record } from '@aws-sdk/client-kinesis';
import { type DeviceId, type EntryDecoder, isDeviceId, ownFormatDecoder } from '@twinstream/device-model';
import { openRecord, sequenceNumber, type UserRecordEntry } from '@twinstream/stream-model';
import type { HintedRecord } from './change-feed.ts';

// Whatever else in the text looks like a device id is a hint too many.
const DEVICE_ID = /"deviceId"\s*:\s*"([^"\\]{1,1024})"/g;
/** The backslash, with which JSON writes any character in another way. */
const ESCAPE = 0x5c;

/**
 * The devices that a record speaks of, as its events name them, whatever its partition key: never one fewer than the
 * projector finds. Looks at bytes where it can; an entry in which a backslash may hide a name is decoded, and every entry where a mapping is in use.
 */
export function hintedRecord(
  {
    SequenceNumber: number,
    PartitionKey: partitionKey = '',
    Data: data = new Uint8Array(),
    ApproximateArrivalTimestamp: arrival = new Date(0),
  }: _Record,
  decoder: EntryDecoder = ownFormatDecoder,
): HintedRecord[] {
  if (number === undefined) return [];
  const deviceIds = new Set<DeviceId>();
  for (const entry of openRecord({ partitionKey, data }).entries) {
    for (const id of deviceIdsOf(entry, arrival.getTime(), decoder)) deviceIds.add(id);
  }
  return [
    { sequenceNumber: sequenceNumber(number), arrivalTime: arrival.getTime(), deviceIds: [...deviceIds] },
  ];
}

function* deviceIdsOf(
  entry: UserRecordEntry,
  arrivalTime: number,
  decoder: EntryDecoder,
): Generator<DeviceId> {
  const { buffer, byteOffset, byteLength } = entry.data;
  for (const [, id] of Buffer.from(buffer, byteOffset, byteLength).toString('latin1').matchAll(DEVICE_ID)) {
    const text = Buffer.from(id ?? '', 'latin1').toString('utf8');
    if (isDeviceId(text)) yield text;
  }
  if (decoder.mappings.length === 0 && !entry.data.includes(ESCAPE)) return;
  for (const { decoded } of decoder.decode(entry, arrivalTime).events) yield decoded.event.deviceId;
}
