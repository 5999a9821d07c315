declare const brand: unique symbol;

/** Name of a shard, unique within its stream and never reused: `shardId-000000000000`. */
export type ShardId = string & { readonly [brand]: 'ShardId' };

// PutRecords API reference, ShardId: 1-128 of [a-zA-Z0-9_.-] (read 2026-11).
const SHARD_ID = /^[a-zA-Z0-9_.-]{1,128}$/;

export function isShardId(text: string): text is ShardId {
  return SHARD_ID.test(text);
}

/** Throws RangeError when `text` is not a legal shard id. */
export function shardId(text: string): ShardId {
  if (!isShardId(text)) throw new RangeError(`not a shard id: ${JSON.stringify(text.slice(0, 140))}`);
  return text;
}
