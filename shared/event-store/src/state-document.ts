import {
  type ConnectionStatus,
  type DeviceId,
  type DeviceState,
  formatVersion,
  type HighWaterMark,
  type JsonObject,
  type JsonValue,
  parseVersion,
  type VersionedValue,
  withAttributesBounded,
} from '@twinstream/device-model';
import {
  type Position,
  type ShardId,
  type ShardPosition,
  sequenceNumber,
  shardId,
} from '@twinstream/stream-model';
import { asArray, asNumber, asObject, asText, listOf, optional } from './json-members.ts';
import { readReceipts, receiptsDocument } from './receipts-document.ts';

const STATUSES: readonly string[] = ['connected', 'disconnected', 'unknown'] satisfies ConnectionStatus[];

/** A device's state as JSON, but for its id, page and arrival maximum, which are the snapshot's key. Entries are lists, so that no name is a member's name. */
export function stateDocument(state: DeviceState): JsonObject {
  const { attributesFloor, status, lastEventTime, lastArrivalTime, position, marksFloor } = state;
  const { current, ordinal, counts } = state;
  return {
    attributes: [...state.attributes].map(([name, { value, version }]) =>
      value === undefined ? [name, formatVersion(version)] : [name, formatVersion(version), value],
    ),
    ...(attributesFloor === undefined ? {} : { attributesFloor: formatVersion(attributesFloor) }),
    status: [status.value, formatVersion(status.version)],
    ...(lastEventTime === undefined
      ? {}
      : { lastEventTime: [lastEventTime.value, formatVersion(lastEventTime.version)] }),
    ...(lastArrivalTime === undefined ? {} : { lastArrivalTime }),
    ...(position === undefined ? {} : { position: [position.shardId, ...placeDocument(position)] }),
    marks: [...state.marks].map(([shard, mark]) => [shard, ...placeDocument(mark), mark.arrivalTime]),
    ...(marksFloor === undefined ? {} : { marksFloor }),
    current: [current.session, current.counter],
    ordinal,
    receipts: receiptsDocument(state.receipts),
    counts: [counts.events, counts.duplicates, counts.late, counts.gaps],
  };
}

function placeDocument({ sequenceNumber, subSequenceNumber }: ShardPosition): readonly [string, number] {
  return [sequenceNumber, subSequenceNumber];
}

/** Inverse of {@link stateDocument}, names of attributes bounded. Throws TypeError or RangeError for a document that is none. */
export function readState(
  document: JsonObject,
  key: { readonly deviceId: DeviceId; readonly page: number; readonly arrivalMax: number },
): DeviceState {
  const lastEventTime = optional(document.lastEventTime, readVersionedText);
  const lastArrivalTime = optional(document.lastArrivalTime, asNumber);
  const position = optional(document.position, readPosition);
  const marksFloor = optional(document.marksFloor, asNumber);
  const attributesFloor = optional(document.attributesFloor, (text) => parseVersion(asText(text)));
  const status = readVersionedText(document.status ?? null);
  if (!isStatus(status.value)) throw new TypeError('not a connection status');
  const [session, counter] = asArray(document.current);
  const [events = 0, duplicates = 0, late = 0, gaps = 0] = asArray(document.counts).map(asNumber);
  return withAttributesBounded({
    ...key,
    attributes: new Map(listOf(document.attributes, readAttribute)),
    ...(attributesFloor === undefined ? {} : { attributesFloor }),
    status: { value: status.value, version: status.version },
    ...(lastEventTime === undefined ? {} : { lastEventTime }),
    ...(lastArrivalTime === undefined ? {} : { lastArrivalTime }),
    ...(position === undefined ? {} : { position }),
    marks: new Map(listOf(document.marks, readHighWaterMark)),
    ...(marksFloor === undefined ? {} : { marksFloor }),
    current: { session: asNumber(session), counter: asNumber(counter) },
    ordinal: asNumber(document.ordinal),
    receipts: readReceipts(asObject(document.receipts)),
    counts: { events, duplicates, late, gaps },
  });
}

function isStatus(text: string): text is ConnectionStatus {
  return STATUSES.includes(text);
}

function readVersionedText(value: JsonValue) {
  const [text, version] = asArray(value);
  return { value: asText(text), version: parseVersion(asText(version)) };
}

function readAttribute(entry: JsonValue): [string, VersionedValue] {
  const [name, versionText, value] = asArray(entry);
  const version = parseVersion(asText(versionText));
  return [asText(name), value === undefined ? { version } : { value, version }];
}

function readPosition(value: JsonValue): Position {
  const [shard, sequence, sub] = asArray(value);
  return {
    shardId: shardId(asText(shard)),
    sequenceNumber: sequenceNumber(asText(sequence)),
    subSequenceNumber: asNumber(sub),
  };
}

function readHighWaterMark(value: JsonValue): [ShardId, HighWaterMark] {
  const { shardId, ...place } = readPosition(value);
  return [shardId, { ...place, arrivalTime: asNumber(asArray(value)[3]) }];
}
