export * from './archive-reader.ts';
export * from './job-liveness.ts';
export * from './kinesis-stream-reader.ts';
export * from './quarantine-counter.ts';
export * from './read-pipeline.ts';
export * from './running-replays.ts';
export * from './shard-listing.ts';
export * from './stream-reader.ts';
