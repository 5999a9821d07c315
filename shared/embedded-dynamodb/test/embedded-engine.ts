import { type DynamoDbEngine, startDynaliteServer } from '@twinstream/event-store/contract/dynamodb-engines';
import { createEmbeddedDynamoDb } from '../src/index.ts';

/** The engine of the local pipeline, in the test's own process. */
export const embeddedEngine: DynamoDbEngine = {
  name: 'the embedded engine',
  start: () => startDynaliteServer(createEmbeddedDynamoDb({ createTableMs: 0 })),
};
