export * from './create-embedded-dynamodb.ts';
