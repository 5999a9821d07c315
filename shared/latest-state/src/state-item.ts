import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import {
  type Item,
  numberValue,
  readNumber,
  readText,
  requireNumber,
  requireText,
  textValue,
} from '@twinstream/aws/dynamodb';
import {
  type ConnectionStatus,
  type DeviceState,
  deviceId,
  formatVersion,
  labelsOf,
  parseVersion,
  presentAttributes,
  type Receipts,
  type VersionedValue,
  withAttributesBounded,
} from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { positionKey } from '@twinstream/stream-model';
import { attributeMap, readAttributeMap } from './attribute-map.ts';
import { counterRangesText, readCounterRanges } from './counter-ranges-text.ts';
import {
  correctionsText,
  marksText,
  readCorrections,
  readMarks,
  readPosition,
  readVersions,
  versionsText,
} from './state-texts.ts';

/*
 * A device's state as an item that a dashboard may read directly: `attributes` is a native map of the values as they
 * stand; `status`, `labels`, `counts`, `lastEventTime`, `lastArrivalTime` speak for themselves. Attributes that are not
 * always there are left out where they say nothing.
 */

/** All attributes of the item besides its key. A write sets those that it has and removes the others. */
export const STATE_ATTRIBUTES = [
  'page',
  'arrivalMax',
  'attributes',
  'versions',
  'attributesFloor',
  'status',
  'statusVersion',
  'site',
  'labels',
  'lastEventTime',
  'lastEventVersion',
  'lastArrivalTime',
  'position',
  'marks',
  'marksFloor',
  'session',
  'counter',
  'ordinal',
  'counterRanges',
  'sessionFloor',
  'corrections',
  'correctionsDropped',
  'counts',
] as const;
type StateAttribute = (typeof STATE_ATTRIBUTES)[number];

const STATUSES: readonly string[] = ['connected', 'disconnected', 'unknown'] satisfies ConnectionStatus[];

/** The item's attributes besides its key; undefined where the item has none of that name. */
export function encodeState(state: DeviceState): Record<StateAttribute, AttributeValue | undefined> {
  const { attributesFloor, status, lastEventTime, position, current, ordinal, receipts } = state;
  const { counts, marksFloor } = state;
  const hasCounted = current.session !== -1 || current.counter !== -1;
  return {
    page: numberValue(state.page),
    arrivalMax: numberValue(state.arrivalMax),
    attributes: { M: attributeMap(presentAttributes(state)) },
    versions: textValue(versionsText(state.attributes)),
    attributesFloor: optionalText(attributesFloor && formatVersion(attributesFloor)),
    status: textValue(status.value),
    statusVersion: textValue(formatVersion(status.version)),
    site: optionalText(labelsOf(state).site),
    labels: { M: attributeMap(Object.entries(labelsOf(state))) },
    lastEventTime: optionalText(lastEventTime?.value),
    lastEventVersion: optionalText(lastEventTime && formatVersion(lastEventTime.version)),
    lastArrivalTime: optionalNumber(state.lastArrivalTime),
    position: optionalText(position && positionKey(position)),
    marks: textValue(marksText(state.marks)),
    marksFloor: optionalNumber(marksFloor),
    session: optionalNumber(hasCounted ? current.session : undefined),
    counter: optionalNumber(hasCounted ? current.counter : undefined),
    ordinal: optionalNumber(ordinal === 0 ? undefined : ordinal),
    counterRanges: optionalText(counterRangesText(receipts.sessions) || undefined),
    sessionFloor: optionalNumber(receipts.sessionFloor),
    corrections: optionalText(
      receipts.corrections.length === 0 ? undefined : correctionsText(receipts.corrections),
    ),
    correctionsDropped: optionalNumber(receipts.correctionsDropped || undefined),
    counts: { M: attributeMap(Object.entries(counts)) },
  };
}

/** The whole item of a state, its key included. */
export function stateItem(state: DeviceState): Item {
  const item: Item = { deviceId: textValue(state.deviceId) };
  for (const [name, value] of Object.entries(encodeState(state))) if (value !== undefined) item[name] = value;
  return item;
}

function optionalText(text: string | undefined): AttributeValue | undefined {
  return text === undefined ? undefined : textValue(text);
}

function optionalNumber(value: number | undefined): AttributeValue | undefined {
  return value === undefined ? undefined : numberValue(value);
}

/** Inverse of {@link encodeState}, names of attributes bounded. Throws `DAMAGED_STATE` for an item that is none. */
export function decodeState(item: Item): DeviceState {
  try {
    return readState(item);
  } catch (cause) {
    const name = item.deviceId?.S ?? '?';
    throw new CodedError('DAMAGED_STATE', `the state of ${name} cannot be read: ${String(cause)}`, { cause });
  }
}

function readState(item: Item): DeviceState {
  const lastEventTime = readText(item, 'lastEventTime');
  const lastArrivalTime = readNumber(item, 'lastArrivalTime');
  const position = readText(item, 'position');
  const attributesFloor = readText(item, 'attributesFloor');
  const marksFloor = readNumber(item, 'marksFloor');
  const { events, duplicates, late, gaps } = Object.fromEntries(readAttributeMap(requireMap(item, 'counts')));
  return withAttributesBounded({
    deviceId: deviceId(requireText(item, 'deviceId')),
    page: requirePage(item),
    arrivalMax: requireNumber(item, 'arrivalMax'),
    attributes: readVersionedValues(item),
    ...(attributesFloor === undefined ? {} : { attributesFloor: parseVersion(attributesFloor) }),
    status: { value: readStatus(item), version: parseVersion(requireText(item, 'statusVersion')) },
    ...(lastEventTime === undefined
      ? {}
      : {
          lastEventTime: {
            value: lastEventTime,
            version: parseVersion(requireText(item, 'lastEventVersion')),
          },
        }),
    ...(lastArrivalTime === undefined ? {} : { lastArrivalTime }),
    ...(position === undefined ? {} : { position: readPosition(position) }),
    marks: readMarks(requireText(item, 'marks')),
    ...(marksFloor === undefined ? {} : { marksFloor }),
    current: { session: readNumber(item, 'session') ?? -1, counter: readNumber(item, 'counter') ?? -1 },
    ordinal: readNumber(item, 'ordinal') ?? 0,
    receipts: readReceipts(item),
    counts: { events: count(events), duplicates: count(duplicates), late: count(late), gaps: count(gaps) },
  });
}

function count(value: unknown): number {
  if (typeof value !== 'number') throw new TypeError('a count is missing');
  return value;
}

function readStatus(item: Item): ConnectionStatus {
  const status = requireText(item, 'status');
  if (!isStatus(status)) throw new TypeError('not a connection status');
  return status;
}

function isStatus(text: string): text is ConnectionStatus {
  return STATUSES.includes(text);
}

/** Every name with a version is an attribute; without a value it was removed. */
function readVersionedValues(item: Item): Map<string, VersionedValue> {
  const values = readAttributeMap(requireMap(item, 'attributes'));
  const attributes = new Map<string, VersionedValue>();
  for (const [name, version] of readVersions(requireText(item, 'versions'))) {
    const value = values.get(name);
    attributes.set(name, value === undefined ? { version } : { value, version });
    values.delete(name);
  }
  if (values.size > 0) throw new TypeError('an attribute has no version');
  return attributes;
}

function readReceipts(item: Item): Receipts {
  const sessionFloor = readNumber(item, 'sessionFloor');
  const corrections = readText(item, 'corrections');
  return {
    sessions: readCounterRanges(readText(item, 'counterRanges') ?? ''),
    ...(sessionFloor === undefined ? {} : { sessionFloor }),
    corrections: corrections === undefined ? [] : readCorrections(corrections),
    correctionsDropped: readNumber(item, 'correctionsDropped') ?? 0,
  };
}

function requirePage(item: Item): number {
  const page = requireNumber(item, 'page');
  if (!Number.isSafeInteger(page) || page < 0) throw new TypeError(`${page} is not the number of a page`);
  return page;
}

function requireMap(item: Item, name: string): Record<string, AttributeValue> {
  const map = item[name]?.M;
  if (map === undefined) throw new TypeError(`${name} is missing or no map`);
  return map;
}
