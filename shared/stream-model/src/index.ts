export * from './backoff.ts';
export * from './hash-key-range.ts';
export * from './position.ts';
export * from './quotas.ts';
export * from './sequence-number.ts';
export * from './shard-id.ts';
export * from './shard-map.ts';
export * from './user-record.ts';
