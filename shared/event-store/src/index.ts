export * from './event-store.ts';
export * from './history-query.ts';
export * from './memory-event-store.ts';
export * from './page-key.ts';
export * from './page-summary.ts';
