import { formatVersion, type StoredEvent } from '@twinstream/device-model';
import { type Position, positionKey, type ShardId } from '@twinstream/stream-model';

/** What makes an event itself within its device: its counter, its correction id, or else its position. */
export function identityOf(shardId: ShardId, { event, place }: Pick<StoredEvent, 'event' | 'place'>): string {
  if (event.correction !== undefined) return `correction ${event.correction.correctionId}`;
  const { identity } = event;
  if (identity === undefined) return `position ${positionKey({ shardId, ...place } satisfies Position)}`;
  return `event ${formatVersion({ ...identity, ordinal: 0, revision: 0 })}`;
}
