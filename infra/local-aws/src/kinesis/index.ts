export type { KinesisCounters } from './kinesis-counters.ts';
export { type KinesisServer, type KinesisServerOptions, startKinesis } from './kinesis-server.ts';
export type { ShardRecords, StoredRecord } from './stored-records.ts';
