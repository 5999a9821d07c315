import { compareWithinShard, type Position, type ShardId } from '@twinstream/stream-model';
import {
  attributeNameBytes,
  attributeNamesBytes,
  dropOldestAttributes,
  isBelowAttributesFloor,
} from './attribute-bound.ts';
import type { DeviceState, EventCounts, HighWaterMark, VersionedValue } from './device-state.ts';
import type { EventPage, StoredEvent } from './event-page.ts';
import { compareVersions, type EventVersion } from './event-version.ts';
import {
  copyReceipts,
  gapChange,
  moreGaps,
  type ReceiptLimits,
  type Receipts,
  receive,
  receiveCorrection,
  STATE_RECEIPT_LIMITS,
} from './receipts.ts';

/**
 * Version of the fold: a change of meaning raises it, and snapshots of another version are ignored. Bounding the names of
 * attributes did not raise it: what was stored before is bounded when it is read, and then means the result of the fold.
 * 2: numbers that a double does not hold are texts of their digits.
 */
export const FOLD_VERSION = 2;

/** A state that is being folded, in place. It shares nothing with the state it was opened from. */
export interface StateDraft extends Omit<DeviceState, 'attributes' | 'marks' | 'receipts' | 'counts'> {
  page: number;
  arrivalMax: number;
  attributes: Map<string, VersionedValue>;
  attributesFloor?: EventVersion;
  /** What the names of the attributes take, once a name has come; not part of the state. */
  attributeNamesBytes?: number;
  status: DeviceState['status'];
  lastEventTime?: NonNullable<DeviceState['lastEventTime']>;
  lastArrivalTime?: number;
  position?: Position;
  marks: Map<ShardId, HighWaterMark>;
  marksFloor?: number;
  current: DeviceState['current'];
  ordinal: number;
  receipts: Receipts;
  counts: { -readonly [Name in keyof EventCounts]: EventCounts[Name] };
}

export function openDraft(state: DeviceState): StateDraft {
  return {
    ...state,
    attributes: new Map(state.attributes),
    marks: new Map(state.marks),
    receipts: copyReceipts(state.receipts),
    counts: { ...state.counts },
  };
}

/** The state that a draft has come to. The draft must not be used again. */
export function closeDraft({ attributeNamesBytes: _, ...state }: StateDraft): DeviceState {
  return state;
}

/** Folds one stored event: state is a last-writer-wins map per attribute, so older versions change only what nothing newer wrote. */
export function applyEvent(
  draft: StateDraft,
  shardId: ShardId,
  stored: StoredEvent,
  limits: ReceiptLimits = STATE_RECEIPT_LIMITS,
): void {
  const { event, version, late } = stored;
  draft.counts.events += 1;
  if (late !== undefined) draft.counts.late += 1;
  draft.position = { shardId, ...stored.place };
  if (event.correction !== undefined) {
    const { session, counter, ordinal, revision } = version;
    receiveCorrection(
      draft.receipts,
      { correctionId: event.correction.correctionId, session, counter, ordinal, revision },
      limits,
    );
  } else {
    enterIdentity(draft, stored, limits);
    if (draft.lastEventTime === undefined || compareVersions(version, draft.lastEventTime.version) > 0) {
      draft.lastEventTime = { value: event.time, version };
    }
  }
  applyData(draft, event, version, limits.attributeNameBytesMax);
}

function enterIdentity(draft: StateDraft, stored: StoredEvent, limits: ReceiptLimits): void {
  const { event, version, late } = stored;
  if (event.identity !== undefined) {
    const change = late === undefined ? gapChange(draft.receipts, event.identity) : late.gapChange;
    draft.counts.gaps = moreGaps(draft.counts.gaps, change);
    receive(draft.receipts, event.identity, limits);
  }
  if (late !== undefined) return;
  draft.current = { session: version.session, counter: version.counter };
  draft.ordinal = version.ordinal;
}

function applyData(
  draft: StateDraft,
  event: StoredEvent['event'],
  version: EventVersion,
  nameBytesMax: number,
): void {
  const { type, data } = event;
  if (type === 'connected' || type === 'disconnected') {
    if (compareVersions(version, draft.status.version) > 0) draft.status = { value: type, version };
  } else if (type !== 'reported' && type !== 'corrected') return;
  let bytes: number | undefined;
  for (const name of Object.keys(data)) {
    const existing = draft.attributes.get(name);
    if (existing === undefined) {
      if (isBelowAttributesFloor(draft, name, version)) continue;
      bytes ??= draft.attributeNamesBytes ?? attributeNamesBytes(draft.attributes);
      bytes += attributeNameBytes(name);
    } else if (compareVersions(version, existing.version) <= 0) continue;
    const value = data[name];
    draft.attributes.set(name, value === null || value === undefined ? { version } : { value, version });
  }
  if (bytes !== undefined) draft.attributeNamesBytes = dropOldestAttributes(draft, bytes, nameBytesMax);
}

/** Folds what a page says besides its events: its number, its arrivals, its duplicates, the high-water mark of its shard. */
export function applyPageFrame(
  draft: StateDraft,
  page: Omit<EventPage, 'events'>,
  limits: ReceiptLimits = STATE_RECEIPT_LIMITS,
): void {
  draft.page = page.page;
  draft.arrivalMax = Math.max(draft.arrivalMax, page.lastArrivalTime);
  draft.counts.duplicates += page.duplicates;
  if (page.heardTime !== undefined) {
    draft.lastArrivalTime = Math.max(draft.lastArrivalTime ?? 0, page.heardTime);
  }
  raiseHighWaterMark(
    draft,
    page.shardId,
    { ...page.through, arrivalTime: page.lastArrivalTime },
    limits.marksMax,
  );
}

/** Raises the high-water mark of a shard, never lowers it: neither its position nor its arrival, since arrivals may run backward. */
function raiseHighWaterMark(
  draft: StateDraft,
  shardId: ShardId,
  seen: HighWaterMark,
  marksMax: number,
): void {
  const existing = draft.marks.get(shardId);
  const highest = existing === undefined || compareWithinShard(seen, existing) > 0 ? seen : existing;
  const arrivalTime = Math.max(seen.arrivalTime, existing?.arrivalTime ?? 0);
  draft.marks.set(shardId, { ...highest, arrivalTime });
  if (draft.marks.size > marksMax) dropOldestHighWaterMark(draft);
}

function dropOldestHighWaterMark(draft: StateDraft): void {
  let oldest: [ShardId, HighWaterMark] | undefined;
  for (const entry of draft.marks) {
    if (oldest === undefined || isOlder(entry, oldest)) oldest = entry;
  }
  if (oldest === undefined) return;
  draft.marks.delete(oldest[0]);
  draft.marksFloor = Math.max(draft.marksFloor ?? 0, oldest[1].arrivalTime);
}

/** By name among equals, because a store may return the high-water marks in any order. */
function isOlder([shardA, a]: [ShardId, HighWaterMark], [shardB, b]: [ShardId, HighWaterMark]): boolean {
  return a.arrivalTime === b.arrivalTime ? shardA < shardB : a.arrivalTime < b.arrivalTime;
}

/** The state after one more page. Throws RangeError when it is not the next page of that device's chain. */
export function foldPage(
  state: DeviceState,
  page: EventPage,
  limits: ReceiptLimits = STATE_RECEIPT_LIMITS,
): DeviceState {
  if (page.deviceId !== state.deviceId || page.page !== state.page + 1) {
    throw new RangeError(`page ${page.page} does not follow page ${state.page} of device ${state.deviceId}`);
  }
  const draft = openDraft(state);
  for (const stored of page.events) applyEvent(draft, page.shardId, stored, limits);
  applyPageFrame(draft, page, limits);
  return closeDraft(draft);
}
