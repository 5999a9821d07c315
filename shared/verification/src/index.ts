export * from './archive-check.ts';
export * from './archived-positions.ts';
export * from './canonical-text.ts';
export * from './check-ledger.ts';
export * from './position-set.ts';
export * from './quarantined-positions.ts';
export * from './verify-device.ts';
export * from './verify-devices.ts';
