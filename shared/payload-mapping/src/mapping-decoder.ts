import {
  type DecodedEntry,
  type EntryDecoder,
  type EntryRejection,
  placeOfItem,
  rejection,
} from '@twinstream/device-model';
import type { UserRecordEntry } from '@twinstream/stream-model';
import type { MappedRecord, MappingRejection, PayloadMapper } from './payload-mapper.ts';

/** An entry that is larger cannot be kept as it is in a line of the archive, in base64 where it is not text. */
export const MAPPED_ENTRY_BYTES_MAX = 700 * 1024;

/**
 * A decoder that applies mappings. What one entry becomes depends on the entry and the mappings alone. An event has the
 * place of its entry, unless its mapping may make several of one record: then each has a place of its own.
 */
export function mappingDecoder(mapper: PayloadMapper): EntryDecoder {
  return {
    mappings: mapper.mappings.map(({ name, version }) => `${name}@${version}`),
    decode: (entry, arrivalTime) => {
      const { data, partitionKey } = entry;
      if (data.length <= MAPPED_ENTRY_BYTES_MAX) {
        return decodedEntry(mapper.map({ data, partitionKey, arrivalTime }), entry);
      }
      const detail = `${data.length} bytes; the limit is ${MAPPED_ENTRY_BYTES_MAX}`;
      return { events: [], rejection: rejection('too-large', detail), ignored: 0 };
    },
  };
}

function decodedEntry(mapped: MappedRecord, { subSequenceNumber: entry }: UserRecordEntry): DecodedEntry {
  const placeOf = mapped.mapping?.isMany === true ? (item: number) => placeOfItem(entry, item) : () => entry;
  const events = mapped.events.map(({ item, event, text, sourceCounter }) => ({
    subSequenceNumber: placeOf(item),
    // Without a spread: it is made for every event.
    decoded: sourceCounter === undefined ? { event, text } : { event, text, sourceCounter },
  }));
  const { rejections, ignored } = mapped;
  const whole = rejectionOf(rejections, mapped);
  if (whole === undefined) return { events, ignored };
  if (events.length === 0) return { events, rejection: whole, ignored };
  const rejectedPlaces = rejections.map(({ item }) => placeOf(item));
  return { events, rejection: { ...whole, rejectedPlaces }, ignored };
}

/** One rejection for the entry: the first item's, with the number of the others. */
function rejectionOf(
  [first, ...others]: readonly MappingRejection[],
  { itemCount }: MappedRecord,
): EntryRejection | undefined {
  if (first === undefined) return undefined;
  const { rejected, detail, item } = first;
  if (itemCount === 1) return { rejected, detail };
  const more = others.length === 0 ? '' : `; ${others.length} more are rejected`;
  return { rejected, detail: `item ${item} of ${itemCount}: ${detail}${more}` };
}
