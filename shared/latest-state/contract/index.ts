export * from './device-states.ts';
export * from './former-state-item.ts';
export * from './latest-state-contract.ts';
export * from './shard-progress-contract.ts';
