export * from './event-store.ts';
export * from './history-query.ts';
