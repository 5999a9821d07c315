export * from './attribute-faults.ts';
export * from './attribute-value.ts';
export * from './dynamodb-request.ts';
export * from './item-size.ts';
