export * from './latest-state-table.ts';
export * from './memory-latest-state.ts';
export * from './memory-shard-progress.ts';
export * from './shard-progress-table.ts';
export * from './site-index.ts';
export * from './table-definitions.ts';
