export type { UserRecord } from '@twinstream/stream-model';
export * from './metrics.ts';
export * from './options.ts';
export * from './outcome.ts';
export * from './producer.ts';
export * from './transport.ts';
