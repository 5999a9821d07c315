export * from './archived-positions.ts';
export * from './canonical-text.ts';
export * from './check-ledger.ts';
export * from './verify-device.ts';
