import { RECORD_LIMITS } from './limits.ts';
import type { MappedRecord } from './payload-mapper.ts';

/**
 * Sub-sequence numbers of the items of one record of the stream, from what its entries became, in their order: an entry's
 * index while every entry is one item, as without a mapping; else room for all items that an entry may have. They rise
 * strictly with entry and item, and depend on the record and the mapping alone, so that a redelivery finds the same places.
 */
export function itemPlaces(
  entries: readonly Pick<MappedRecord, 'itemCount'>[],
): (entry: number, item: number) => number {
  const isSpread = entries.some(({ itemCount }) => itemCount > 1);
  return (entry, item) => (isSpread ? entry * RECORD_LIMITS.itemsMax + item : entry);
}
