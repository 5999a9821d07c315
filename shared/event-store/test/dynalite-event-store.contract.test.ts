import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { batchedItems, type ItemClient, sdkRequests } from '@twinstream/aws/dynamodb';
import { type EventPage, newDevice, PAGE_LIMITS, planPage } from '@twinstream/device-model';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { writeBatch } from '../contract/chain-writer.ts';
import { dynaliteEngine, engineTitle, type TestDynamoDb } from '../contract/dynamodb-engines.ts';
import { all, describeEventStore } from '../contract/event-store-contract.ts';
import { dynamoDbEventStore } from '../src/dynamodb-event-store.ts';
import { encodePage } from '../src/page-item.ts';
import { summaryOf } from '../src/page-summary.ts';
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

  it('opened again shows all that another has written, and what is none of its own', async () => {
    const tableName = await dynamoDb.createTable(EVENTS_TABLE_DEFINITION);
    const writer = dynamoDbEventStore(dynamoDb.client, { tableName });
    const { state, pages } = await writeBatch(
      writer,
      newDevice(DEVICE),
      SHARDS[0],
      [1, 2, 3].map((counter) => arrivedEvent({ at: counter, session: 1, counter })),
      { limits: { ...PAGE_LIMITS, eventsMax: 1 } },
    );
    const snapshotAt = (page: number, eventTimeMax: number) => ({
      ...{ foldVersion: 1, receipts: state.receipts, eventTimeMax },
      state: { ...state, page, arrivalMax: state.arrivalMax - 3 + page },
    });
    const snapshots = [snapshotAt(1, 10), snapshotAt(2, 20), snapshotAt(3, 30)];
    for (const snapshot of snapshots) expect(await writer.putSnapshot(snapshot)).toBe('stored');
    const foreign = { key: { S: 'AUDIT#1' } };
    for (const id of [DEVICE, 'not a device\u0000'])
      await dynamoDb.client.send(
        new PutItemCommand({ TableName: tableName, Item: { ...foreign, deviceId: { S: id } } }),
      );

    const store = dynamoDbEventStore(dynamoDb.client, { tableName });
    const range = { consistent: true };
    expect(await all(store.pages(DEVICE, range))).toEqual(pages);
    expect(await all(store.pageSummaries(DEVICE, range))).toEqual(pages.map(summaryOf));
    expect(await store.lastKeyBelow(DEVICE, Number.MAX_SAFE_INTEGER)).toMatchObject({ page: 3 });
    const latest = async (query: object) =>
      (await store.latestSnapshot(DEVICE, { foldVersion: 1, ...range, ...query }))?.state.page;
    expect(await latest({})).toBe(3);
    expect([await latest({ pageAtMost: 2 }), await latest({ pageAtMost: 3 })]).toEqual([2, 3]);
    expect([await latest({ eventTimeAtMost: 20 }), await latest({ eventTimeAtMost: 19 })]).toEqual([2, 1]);
    expect(await all(store.auditPages(DEVICE))).toEqual(
      pages.map((page) => ({ kind: 'page', page, faults: [] })),
    );
    expect(await all(store.auditSnapshots(DEVICE, { foldVersion: 1 }))).toEqual([
      { kind: 'foreign', key: 'AUDIT#1' },
      ...snapshots.map((snapshot) => ({ kind: 'snapshot', snapshot, faults: [] })),
    ]);
    expect(await all(store.auditSnapshots(DEVICE, { foldVersion: 2 }))).toHaveLength(1);
    expect((await all(store.partitionKeys())).sort()).toEqual([DEVICE, 'not a device\u0000']);
    expect(await all(store.deviceIds())).toEqual([DEVICE]);
    const [first] = pages as [EventPage];
    expect(await store.replacePage({ ...first, duplicates: 1 })).toBe('replaced');
    expect((await all(store.pages(DEVICE, range)))[0]).toEqual({ ...first, duplicates: 1 });
  });

  it('reads consistently where verification does, and otherwise where that is asked for', async () => {
    const tableName = await dynamoDb.createTable(EVENTS_TABLE_DEFINITION);
    const store = dynamoDbEventStore(dynamoDb.client, { tableName });
    const send = vi.spyOn(dynamoDb.client, 'send');
    const isConsistent = async (read: () => Promise<unknown>) => {
      send.mockClear();
      await read();
      return send.mock.calls.map(([{ input }]) => (input as { ConsistentRead?: boolean }).ConsistentRead);
    };
    const query = { foldVersion: 1 };
    expect(await isConsistent(() => all(store.pages(DEVICE)))).toEqual([false]);
    expect(await isConsistent(() => all(store.pages(DEVICE, { consistent: true })))).toEqual([true]);
    expect(await isConsistent(() => store.latestSnapshot(DEVICE, query))).toEqual([false]);
    expect(await isConsistent(() => store.latestSnapshot(DEVICE, { ...query, consistent: true }))).toEqual([
      true,
    ]);
    expect(await isConsistent(() => all(store.auditPages(DEVICE)))).toEqual([true]);
    expect(await isConsistent(() => all(store.auditSnapshots(DEVICE, query)))).toEqual([true, true]);
    send.mockRestore();
  });

  describe('with a client of items', () => {
    const plan = planPage(newDevice(DEVICE), SHARDS[0], [arrivedEvent({ at: 1, session: 1, counter: 1 })]);
    if (plan.kind !== 'page') throw new Error('nothing is new');
    const { page } = plan;
    const open = async (items: Partial<ItemClient>) => {
      const tableName = await dynamoDb.createTable(EVENTS_TABLE_DEFINITION);
      const client: ItemClient = { ...batchedItems(sdkRequests(dynamoDb.client)), ...items };
      return dynamoDbEventStore(dynamoDb.client, { tableName, items: client });
    };

    it('tells the units of a put where that tells them', async () => {
      const told = await open({ insert: async () => ({ outcome: 'inserted', writeUnits: 2 }) });
      expect(await told.appendPage(page)).toEqual({ outcome: 'appended', writeUnits: 2 });
      const silent = await open({ insert: async () => ({ outcome: 'inserted' }) });
      expect(await silent.appendPage(page)).toStrictEqual({ outcome: 'appended' });
    });

    it('reads the page that took the key where the answer does not hold it, and fails where it is gone', async () => {
      const insert: ItemClient['insert'] = async () => ({ outcome: 'exists' });
      const there = await open({ insert, get: async () => encodePage(page) });
      expect(await there.appendPage(page)).toEqual({ outcome: 'conflict', existing: page });
      const gone = await open({ insert, get: async () => undefined });
      await expect(gone.appendPage(page)).rejects.toMatchObject({ code: 'PAGE_VANISHED' });
    });

    it('does not replace a page that somebody has changed since it was read', async () => {
      const stale = await open({ get: async () => ({ ...encodePage(page), body: { S: 'old' } }) });
      await stale.appendPage(page);
      expect(await stale.replacePage({ ...page, duplicates: 1 })).toBe('changed');
      expect(await all(stale.pages(DEVICE, { consistent: true }))).toEqual([page]);
    });

    it.each([
      ['AccessDeniedException', 'PAGE_REPLACEMENT_DENIED'],
      ['ValidationException', undefined],
    ])('says whether a role may not replace pages: %s', async (name, code) => {
      const store = await open({ get: async () => encodePage(page) });
      await store.appendPage(page);
      dynamoDb.client.middlewareStack.add(
        () => async () => {
          throw Object.assign(new Error('refused'), { name, $fault: 'client', $metadata: {} });
        },
        { step: 'initialize', name: 'refuse' },
      );
      const rejection = await store.replacePage({ ...page, duplicates: 1 }).catch((error: unknown) => error);
      dynamoDb.client.middlewareStack.remove('refuse');
      expect(rejection).toBeInstanceOf(Error);
      if (code === undefined) expect(rejection).not.toMatchObject({ code: 'PAGE_REPLACEMENT_DENIED' });
      else expect(rejection).toMatchObject({ code, cause: expect.anything() });
    });
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
