import { describe } from 'vitest';
import { describeEventStore } from '../contract/event-store-contract.ts';
import { memoryEventStore } from '../src/memory-event-store.ts';

describe('the event store in memory', () => {
  describeEventStore(async () => ({ store: memoryEventStore() }));
});
