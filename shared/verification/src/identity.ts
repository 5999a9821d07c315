import { type ArrivedEvent, formatVersion, isJsonObject, keyOf } from '@twinstream/device-model';
import { type Position, positionKey, type ShardId } from '@twinstream/stream-model';

type Identified = Pick<ArrivedEvent, 'event' | 'place'> &
  Partial<Pick<ArrivedEvent, 'text' | 'sourceCounter'>>;

/**
 * What makes an event itself within its device: its counter, its correction id, or else its position. Of an event whose session
 * and counter are derived, it is the counter of its source with its own time, which are known before and after; of one with a key,
 * the key, which may be stored again beyond its window.
 */
export function identityOf(shardId: ShardId, { event, place, text, sourceCounter }: Identified): string {
  const counter = sourceCounter?.counter ?? (text === undefined ? undefined : sourceCounterIn(text));
  if (counter !== undefined) return `source ${counter} ${event.time}`;
  if (event.correction !== undefined) return `correction ${event.correction.correctionId}`;
  const { identity } = event;
  const key = identity === undefined && text !== undefined ? keyOf(text)?.key : undefined;
  if (key !== undefined) return `key ${key}`;
  if (identity === undefined) return `position ${positionKey({ shardId, ...place } satisfies Position)}`;
  return `event ${formatVersion({ ...identity, ordinal: 0, revision: 0 })}`;
}

/** The counter of the source that a mapping has put into the text of an event. */
export function sourceCounterIn(text: string): number | undefined {
  if (!text.includes('"source":{"counter":')) return undefined;
  const { mapping, source } = JSON.parse(text);
  return isJsonObject(mapping) && isJsonObject(source) && Number.isSafeInteger(source.counter)
    ? Number(source.counter)
    : undefined;
}

/** The text of a stored event as the mapping made it, without the session and the counter that were derived for it. */
export function mappedText(text: string): string {
  return sourceCounterIn(text) === undefined ? text : text.replace(/^\{"session":\d+,"counter":\d+,/, '{');
}
