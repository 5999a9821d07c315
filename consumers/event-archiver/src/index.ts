export * from './configuration.ts';
export * from './deliver-packs.ts';
export * from './delivery-stream.ts';
export * from './firehose-delivery-stream.ts';
export * from './firehose-quotas.ts';
export * from './handler.ts';
export * from './memory-delivery-stream.ts';
export * from './pack-batch.ts';
