import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { newDevice, planPage } from '@twinstream/device-model';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dynaliteEngine, engineTitle, type TestDynamoDb } from '../contract/dynamodb-engines.ts';
import { all, describeEventStore } from '../contract/event-store-contract.ts';
import { dynamoDbEventStore } from '../src/dynamodb-event-store.ts';
import { EVENTS_TABLE_DEFINITION } from '../src/table-definition.ts';

/** Lets every first try of a put happen and loses its answer, as a network does. */
function loseFirstAnswers(client: DynamoDBClient): () => number {
  let lost = 0;
  client.middlewareStack.add(
    (next, { commandName }) => {
      let tries = 0;
      return async (call) => {
        const answer = await next(call);
        tries += 1;
        if (commandName !== 'PutItemCommand' || tries > 1) return answer;
        lost += 1;
        throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET', name: 'TimeoutError' });
      };
    },
    // Behind the SDK's own tries.
    { step: 'finalizeRequest', priority: 'low', name: 'loseFirstAnswers' },
  );
  return () => lost;
}

describe(engineTitle('the event store', dynaliteEngine), () => {
  let dynamoDb: TestDynamoDb;
  beforeAll(async () => {
    dynamoDb = await dynaliteEngine.start();
  });
  afterAll(() => dynamoDb?.close());

  describeEventStore(async () => {
    const tableName = await dynamoDb.createTable(EVENTS_TABLE_DEFINITION);
    return { store: dynamoDbEventStore(dynamoDb.client, { tableName }) };
  });

  it('answers with its own page where the answer to the first try was lost', async () => {
    const tableName = await dynamoDb.createTable(EVENTS_TABLE_DEFINITION);
    const store = dynamoDbEventStore(dynamoDb.client, { tableName });
    const plan = planPage(newDevice(DEVICE), SHARDS[0], [arrivedEvent({ at: 1, session: 1, counter: 1 })]);
    if (plan.kind !== 'page') throw new Error('nothing is new');
    const lost = loseFirstAnswers(dynamoDb.client);
    const result = await store.appendPage(plan.page);
    dynamoDb.client.middlewareStack.remove('loseFirstAnswers');
    expect(lost()).toBe(1);
    expect(result).toEqual({ outcome: 'conflict', existing: plan.page });
    expect(await all(store.pages(DEVICE, { consistent: true }))).toEqual([plan.page]);
  });

  it('audits any number of snapshots in a few requests, each read once', async () => {
    const tableName = await dynamoDb.createTable(EVENTS_TABLE_DEFINITION);
    const store = dynamoDbEventStore(dynamoDb.client, { tableName });
    const count = 60;
    for (let page = 1; page <= count; page += 1) {
      const state = { ...newDevice(DEVICE), page, arrivalMax: page };
      await store.putSnapshot({ foldVersion: 1, state, receipts: state.receipts });
    }
    let queries = 0;
    dynamoDb.client.middlewareStack.add(
      (next, { commandName }) =>
        (call) => {
          if (commandName === 'QueryCommand') queries += 1;
          return next(call);
        },
      { step: 'initialize', name: 'countQueries' },
    );
    const audited = await all(store.auditSnapshots(DEVICE, { foldVersion: 1 }));
    dynamoDb.client.middlewareStack.remove('countQueries');
    expect(audited.map((found) => found.kind === 'snapshot' && found.snapshot.state.page)).toEqual(
      Array.from({ length: count }, (_, index) => index + 1),
    );
    expect(queries).toBeLessThanOrEqual(4);
  });

  it('is worth another try when nobody answers', async () => {
    const elsewhere = await dynaliteEngine.start();
    const tableName = await elsewhere.createTable(EVENTS_TABLE_DEFINITION);
    const store = dynamoDbEventStore(elsewhere.client, { tableName });
    await elsewhere.stop();
    const failure = { code: 'DYNAMODB_UNAVAILABLE', retryable: true };
    await expect(store.lastKeyBelow(DEVICE, 1)).rejects.toMatchObject(failure);
    await elsewhere.close();
  });
});
