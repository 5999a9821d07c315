export type { FaultKind, FaultRule, FaultService } from '../faults/fault-rule.ts';
export type { FaultRuleReport } from '../faults/seeded-fault-injector.ts';
export type { KinesisCounters } from './kinesis-counters.ts';
export { type KinesisServer, type KinesisServerOptions, startKinesis } from './kinesis-server.ts';
export { type LocalKinesis, type LocalKinesisOptions, startLocalKinesis } from './local-kinesis.ts';
export type { ShardRecords, StoredRecord } from './stored-records.ts';
