export * from './device-states.ts';
export * from './latest-state-contract.ts';
export * from './shard-progress-contract.ts';
