export * from './child-process.ts';
export * from './event-builder.ts';
export * from './kept-variables.ts';
export * from './kinesis-local.ts';
export * from './seeded-random.ts';
export * from './sse-reader.ts';
export * from './until.ts';
export * from './virtual-clock.ts';
