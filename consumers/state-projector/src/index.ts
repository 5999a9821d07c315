export * from './batch-summary.ts';
export * from './handler.ts';
export * from './options.ts';
