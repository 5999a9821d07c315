import {
  ITEM_BYTES_MAX,
  type Item,
  itemBytes,
  numberValue,
  readNumber,
  requireText,
  textValue,
} from '@twinstream/aws/dynamodb';
import { deviceId, type JsonValue } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { bodyText, bodyValue } from './body-value.ts';
import type { Snapshot } from './event-store.ts';
import { asObject, parseObject } from './json-members.ts';
import { readReceipts, receiptsDocument } from './receipts-document.ts';
import { readSnapshotSortKey, snapshotSortKey } from './sort-key.ts';
import { readState, stateDocument } from './state-document.ts';

/** Version of the body's format, apart from that of the fold. */
export const SNAPSHOT_BODY_FORMAT = 1;

const BODY = 'body';

/** Decompressed. Ranges compress about tenfold, so that the largest snapshot that fits an item stays below it. */
export const SNAPSHOT_BODY_BYTES_MAX = 16 * 1_024 * 1_024;

/**
 * A snapshot as an item: without the values of its attributes where an item cannot hold them, and undefined where its
 * receipts alone are more than an item holds (400 KB compressed: some 100,000 gaps).
 */
export function encodeSnapshot(snapshot: Snapshot): Item | undefined {
  return encodeWhole(snapshot) ?? encodeWhole(withoutValues(snapshot));
}

/** A snapshot that keeps of each attribute its version alone. */
export function withoutValues(snapshot: Snapshot): Snapshot {
  const versions = [...snapshot.state.attributes].map(([name, { version }]) => [name, { version }] as const);
  const state = { ...snapshot.state, attributes: new Map(versions) };
  return { ...snapshot, state, valuesOmitted: true };
}

function encodeWhole(snapshot: Snapshot): Item | undefined {
  const stateJson = stateDocument(snapshot.state);
  const complete = receiptsDocument(snapshot.receipts);
  const item = attributesBesideSnapshot(snapshot);
  const body: JsonValue = {
    format: SNAPSHOT_BODY_FORMAT,
    state: stateJson,
    ...(areEqual(complete, stateJson.receipts) ? {} : { receipts: complete }),
  };
  const text = JSON.stringify(body);
  if (text.length > SNAPSHOT_BODY_BYTES_MAX) return undefined;
  item[BODY] = bodyValue(text, itemBytes(item) + BODY.length);
  return itemBytes(item) <= ITEM_BYTES_MAX ? item : undefined;
}

/** Everything of a snapshot's item but the body. */
export function attributesBesideSnapshot({
  foldVersion,
  state,
  eventTimeMax,
  valuesOmitted,
}: Snapshot): Item {
  const item: Item = {
    deviceId: textValue(state.deviceId),
    key: textValue(snapshotSortKey(foldVersion, state.arrivalMax, state.page)),
    foldVersion: numberValue(foldVersion),
    page: numberValue(state.page),
    arrivalMax: numberValue(state.arrivalMax),
  };
  if (eventTimeMax !== undefined) item.eventTimeMax = numberValue(eventTimeMax);
  if (valuesOmitted) item.valuesOmitted = { BOOL: true };
  return item;
}

/** Whether the item of a snapshot keeps of each attribute its version alone. */
export function isWithoutValues(item: Item): boolean {
  return item.valuesOmitted?.BOOL === true;
}

/** Receipts that forgot nothing are written once. */
function areEqual(complete: JsonValue, bounded: JsonValue | undefined): boolean {
  return JSON.stringify(complete) === JSON.stringify(bounded);
}

/** A snapshot as its key and its body say. Throws `DAMAGED_SNAPSHOT` for an item that is not a snapshot of a known format. */
export function decodeSnapshot(item: Item): Snapshot {
  try {
    const body = parseObject(bodyText(item[BODY], SNAPSHOT_BODY_BYTES_MAX));
    if (body.format !== SNAPSHOT_BODY_FORMAT) throw new TypeError(`unknown format ${String(body.format)}`);
    const stateJson = asObject(body.state);
    const eventTimeMax = readNumber(item, 'eventTimeMax');
    const { foldVersion, page, arrivalMax } = readSnapshotSortKey(requireText(item, 'key'));
    return {
      foldVersion,
      state: readState(stateJson, { deviceId: deviceId(requireText(item, 'deviceId')), page, arrivalMax }),
      receipts: readReceipts(asObject(body.receipts ?? stateJson.receipts)),
      ...(eventTimeMax === undefined ? {} : { eventTimeMax }),
      ...(isWithoutValues(item) ? { valuesOmitted: true } : {}),
    };
  } catch (cause) {
    const name = `${item.deviceId?.S ?? '?'} ${item.key?.S ?? '?'}`;
    throw new CodedError('DAMAGED_SNAPSHOT', `snapshot ${name} cannot be read: ${String(cause)}`, { cause });
  }
}
