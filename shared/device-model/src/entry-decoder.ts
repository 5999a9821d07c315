import type { UserRecordEntry } from '@twinstream/stream-model';
import type { ArrivedEvent } from './decide-event.ts';
import { decodeEvent } from './decode-event.ts';
import type { Rejection } from './rejection.ts';

/** An event that an entry became, and its place in the record. */
export interface EntryEvent {
  readonly subSequenceNumber: number;
  readonly decoded: Omit<ArrivedEvent, 'place' | 'arrivalTime'>;
}

/** Why an entry, or a part of it, is invalid: it goes to quarantine under the place of the entry. */
export interface EntryRejection extends Rejection {
  /** Places of the rejected events, rising, where others of the same entry are accepted; absent where none is. */
  readonly rejectedPlaces?: readonly number[];
}

/** What an entry became. Without a mapping that is one event or one rejection. */
export interface DecodedEntry {
  /** Their places rise. */
  readonly events: readonly EntryEvent[];
  readonly rejection?: EntryRejection;
  /** Parts of the entry of which a mapping makes nothing, on purpose. */
  readonly ignored: number;
}

/**
 * Makes events of entries. Everything that reads a stream, its archive or its quarantine decodes with one of them, so that
 * all find the same events at the same places. Deterministic: an entry comes to the same result each time.
 */
export interface EntryDecoder {
  /** Name and version of each mapping in use, as `name@version`. */
  readonly mappings: readonly string[];
  /**
   * Never throws.
   *
   * @param arrivalTime milliseconds since 1970
   */
  decode(entry: UserRecordEntry, arrivalTime: number): DecodedEntry;
}

/** Takes events of this project's own format alone. */
export const ownFormatDecoder: EntryDecoder = {
  mappings: [],
  decode({ data, subSequenceNumber }) {
    const decoded = decodeEvent(data);
    return 'rejected' in decoded
      ? { events: [], rejection: decoded, ignored: 0 }
      : { events: [{ subSequenceNumber, decoded }], ignored: 0 };
  },
};

/** Items that one entry may become: events, rejected and ignored ones. */
export const ENTRY_ITEMS_MAX = 1_000;

/**
 * Where places of items begin. An aggregated record of 10 MiB, the largest that a stream allows, has fewer entries: an
 * entry takes 6 bytes or more.
 */
const ITEM_PLACES_FROM = 10_000_000;

/**
 * Place of one of the events that an entry may become, above the places of all entries. It depends on the entry alone, so
 * that a redelivery, a replay and a verification find it without the rest of the record.
 */
export function placeOfItem(entry: number, item: number): number {
  return ITEM_PLACES_FROM + entry * ENTRY_ITEMS_MAX + item;
}

/** The entry in which a place lies: the place itself, unless it is that of an item. */
export function entryOfPlace(subSequenceNumber: number): number {
  return subSequenceNumber < ITEM_PLACES_FROM
    ? subSequenceNumber
    : Math.floor((subSequenceNumber - ITEM_PLACES_FROM) / ENTRY_ITEMS_MAX);
}
