export * from './latest-state-table.ts';
export * from './shard-progress-table.ts';
