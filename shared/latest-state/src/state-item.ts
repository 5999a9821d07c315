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
  type EventVersion,
  formatVersion,
  labelsOf,
  NO_VERSION,
  parseVersion,
  type Receipts,
  type VersionedValue,
  withAttributesBounded,
} from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { positionKey } from '@twinstream/stream-model';
import { attributeMap, presentAttributeMap, readAttributeMap } from './attribute-map.ts';
import { counterRangesText, readCounterRanges } from './counter-ranges-text.ts';
import {
  allVersionsText,
  correctionsText,
  marksText,
  positionText,
  readCorrections,
  readMarks,
  readPosition,
  readVersions,
  versionsText,
} from './state-texts.ts';

/*
 * A device's state as an item that a dashboard may read directly: `attributes` is a native map of the values as they
 * stand; `status`, `labels`, `counts`, `lastEventTime`, `lastArrivalTime` speak for themselves. Attributes that are not
 * always there are left out where they say nothing, or what another attribute says:
 *
 * - position: the shard alone, where it is the high-water mark of that shard
 * - marks: no arrival, where it is `arrivalMax`
 * - arrivalMax: absent where it is `lastArrivalTime`
 * - lastEventVersion: absent where it is `session` and `counter` (and `ordinal`) of the newest counted event
 * - statusVersion: absent while nothing was said of the connection
 * - versions: `"*"` for the version that all attributes have whose names do not stand there
 *
 * Items that were written before 2026-12 say all of it, and are read as they are.
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
  const { arrivalMax, lastArrivalTime, attributes, marks, counts, marksFloor } = state;
  const hasCounted = current.session !== -1 || current.counter !== -1;
  const statusVersion = formatVersion(status.version);
  const lastEventVersion = lastEventTime && formatVersion(lastEventTime.version);
  const labels = labelsOf(state);
  return {
    page: numberValue(state.page),
    arrivalMax: optionalNumber(arrivalMax === lastArrivalTime ? undefined : arrivalMax),
    attributes: { M: presentAttributeMap(attributes) },
    versions: textValue(versionsText(attributes)),
    attributesFloor: optionalText(attributesFloor && formatVersion(attributesFloor)),
    status: textValue(status.value),
    statusVersion: optionalText(statusVersion === NO_VERSION_TEXT ? undefined : statusVersion),
    site: optionalText(labels.site),
    labels: { M: attributeMap(Object.entries(labels)) },
    lastEventTime: optionalText(lastEventTime?.value),
    lastEventVersion: optionalText(
      lastEventVersion === formatVersion(newestVersion(state)) ? undefined : lastEventVersion,
    ),
    lastArrivalTime: optionalNumber(lastArrivalTime),
    position: optionalText(position && positionText(position, marks)),
    marks: textValue(marksText(marks, arrivalMax)),
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
    counts: {
      M: {
        events: numberValue(counts.events),
        duplicates: numberValue(counts.duplicates),
        late: numberValue(counts.late),
        gaps: numberValue(counts.gaps),
      },
    },
  };
}

const NO_VERSION_TEXT = formatVersion(NO_VERSION);

/** Version of the newest counted event, or of the last uncounted one after it. */
function newestVersion({ current, ordinal }: Pick<DeviceState, 'current' | 'ordinal'>): EventVersion {
  return { session: current.session, counter: current.counter, ordinal, revision: 0 };
}

/** What an item says twice that was written before 2026-12. */
export function repeatedAttributes(
  state: DeviceState,
): Partial<Record<StateAttribute, AttributeValue | undefined>> {
  const { arrivalMax, attributes, status, lastEventTime, position, marks } = state;
  return {
    arrivalMax: numberValue(arrivalMax),
    versions: textValue(allVersionsText(attributes)),
    statusVersion: textValue(formatVersion(status.version)),
    lastEventVersion: optionalText(lastEventTime && formatVersion(lastEventTime.version)),
    position: optionalText(position && positionKey(position)),
    marks: textValue(marksText(marks)),
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
  const lastEventVersion = readText(item, 'lastEventVersion');
  const lastArrivalTime = readNumber(item, 'lastArrivalTime');
  const arrivalMax = readNumber(item, 'arrivalMax') ?? requireNumber(item, 'lastArrivalTime');
  const current = { session: readNumber(item, 'session') ?? -1, counter: readNumber(item, 'counter') ?? -1 };
  const ordinal = readNumber(item, 'ordinal') ?? 0;
  const marks = readMarks(requireText(item, 'marks'), arrivalMax);
  const position = readText(item, 'position');
  const attributesFloor = readText(item, 'attributesFloor');
  const marksFloor = readNumber(item, 'marksFloor');
  const { events, duplicates, late, gaps } = Object.fromEntries(readAttributeMap(requireMap(item, 'counts')));
  return withAttributesBounded({
    deviceId: deviceId(requireText(item, 'deviceId')),
    page: requirePage(item),
    arrivalMax,
    attributes: readVersionedValues(item),
    ...(attributesFloor === undefined ? {} : { attributesFloor: parseVersion(attributesFloor) }),
    status: {
      value: readStatus(item),
      version: parseVersion(readText(item, 'statusVersion') ?? NO_VERSION_TEXT),
    },
    ...(lastEventTime === undefined
      ? {}
      : {
          lastEventTime: {
            value: lastEventTime,
            version:
              lastEventVersion === undefined
                ? newestVersion({ current, ordinal })
                : parseVersion(lastEventVersion),
          },
        }),
    ...(lastArrivalTime === undefined ? {} : { lastArrivalTime }),
    ...(position === undefined ? {} : { position: readPosition(position, marks) }),
    marks,
    ...(marksFloor === undefined ? {} : { marksFloor }),
    current,
    ordinal,
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
  const versions = readVersions(requireText(item, 'versions'), values.keys());
  for (const [name, version] of versions) {
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
