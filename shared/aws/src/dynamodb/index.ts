export * from './attribute-faults.ts';
export * from './attribute-value.ts';
export * from './dynamodb-client.ts';
export * from './dynamodb-request.ts';
export * from './fast-path.ts';
export * from './item-size.ts';
export * from './write-batcher.ts';
