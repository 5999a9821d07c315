import {
  batchedItems,
  type DynamoDbRequests,
  fastRequests,
  type Item,
  type ItemClient,
  sdkRequests,
  singleItems,
} from '@twinstream/aws/dynamodb';
import {
  dynaliteEngine,
  dynamoDbLocalEngine,
  engineTitle,
  type TestDynamoDb,
} from '@twinstream/event-store/contract/dynamodb-engines';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embeddedEngine } from './embedded-engine.ts';

const BILLING = { BillingMode: 'PAY_PER_REQUEST' } as const;
const PAGES = {
  ...BILLING,
  AttributeDefinitions: [
    { AttributeName: 'deviceId', AttributeType: 'S' as const },
    { AttributeName: 'key', AttributeType: 'S' as const },
  ],
  KeySchema: [
    { AttributeName: 'deviceId', KeyType: 'HASH' as const },
    { AttributeName: 'key', KeyType: 'RANGE' as const },
  ],
};
const STATES = {
  ...BILLING,
  AttributeDefinitions: [{ AttributeName: 'deviceId', AttributeType: 'S' as const }],
  KeySchema: [{ AttributeName: 'deviceId', KeyType: 'HASH' as const }],
};
const KEY_NAMES = ['deviceId', 'key'] as const;
const BODY = new Uint8Array([0, 255, 7]);

const CLIENTS: readonly (readonly [string, (requests: DynamoDbRequests) => ItemClient])[] = [
  ['single items', (requests) => singleItems(requests)],
  ['batched items', (requests) => batchedItems(requests)],
];
const REQUESTS = [
  ['fast requests', fastRequests],
  ['the SDK’s requests', sdkRequests],
] as const;

for (const engine of [embeddedEngine, dynamoDbLocalEngine()]) {
  describe.skipIf(engine.skipped !== undefined)(engineTitle('the item client', engine), () => {
    let dynamoDb: TestDynamoDb;
    let pages: string;
    let states: string;
    let devices = 0;
    beforeAll(async () => {
      dynamoDb = await engine.start();
      [pages, states] = [await dynamoDb.createTable(PAGES), await dynamoDb.createTable(STATES)];
    });
    afterAll(() => dynamoDb?.close());

    describe.each(CLIENTS)('%s', (_, clientOf) => {
      describe.each(REQUESTS)('by %s', (__, requestsOf) => {
        let items: ItemClient;
        beforeAll(() => {
          items = clientOf(requestsOf(dynamoDb.client));
        });
        const newDevice = () => {
          devices += 1;
          return `device-${devices}`;
        };
        const pageOf = (deviceId: string, body = BODY): Item => ({
          deviceId: { S: deviceId },
          key: { S: 'EVENT#1' },
          body: { B: body },
        });
        const insert = (item: Item) => items.insert({ tableName: pages, keyNames: KEY_NAMES, item });
        const read = (deviceId: string) =>
          items.get({ tableName: states, key: { deviceId: { S: deviceId } } });
        const advance = (deviceId: string, page: number, isFirst = page === 1, site?: string) =>
          items.advance({
            tableName: states,
            key: { deviceId: { S: deviceId } },
            attributes: {
              page: { N: String(page) },
              site: site === undefined ? undefined : { S: site },
              values: { M: { bytes: { B: BODY } } },
            },
            risingAttribute: 'page',
            isFirst,
          });

        it('inserts where the key is free, and leaves what stands there', async () => {
          const item = pageOf(newDevice());
          expect(await insert(item)).toEqual({ outcome: 'inserted' });
          expect(await insert({ ...item, body: { S: 'other' } })).toMatchObject({ outcome: 'exists' });
          const { body, ...key } = item;
          const found = await items.get({ tableName: pages, key });
          expect([...(found?.body?.B ?? [])]).toEqual([...(body?.B ?? [])]);
        });

        it('of concurrent inserts of one key exactly one succeeds, whatever the others write', async () => {
          const shared = newDevice();
          const own = Array.from({ length: 40 }, newDevice);
          const results = await Promise.all([
            ...Array.from({ length: 6 }, () => insert(pageOf(shared))),
            ...own.map((deviceId) => insert(pageOf(deviceId))),
          ]);
          const outcomes = results.map(({ outcome }) => outcome);
          expect(outcomes.slice(0, 6).filter((outcome) => outcome === 'inserted')).toHaveLength(1);
          expect(new Set(outcomes.slice(6))).toEqual(new Set(['inserted']));
        });

        it.each([true, false])('creates and advances, with isFirst %s', async (isFirst) => {
          const deviceId = newDevice();
          expect(await advance(deviceId, 1, isFirst, 'north')).toEqual({ outcome: 'advanced' });
          expect(await read(deviceId)).toMatchObject({ page: { N: '1' }, site: { S: 'north' } });
          expect(await advance(deviceId, 3, isFirst)).toEqual({ outcome: 'advanced' });
          const item = await read(deviceId);
          expect(item).toMatchObject({ page: { N: '3' } });
          expect(item).not.toHaveProperty('site');
          expect([...(item?.values?.M?.bytes?.B ?? [])]).toEqual([...BODY]);
        });

        it.each([true, false])('leaves what is not below, with isFirst %s', async (isFirst) => {
          const deviceId = newDevice();
          await advance(deviceId, 2, isFirst, 'north');
          for (const page of [1, 2]) {
            expect(await advance(deviceId, page, isFirst, 'south')).toEqual({ outcome: 'not-below' });
          }
          expect(await read(deviceId)).toMatchObject({ page: { N: '2' }, site: { S: 'north' } });
        });

        it('keeps what others added, also where the item has no page', async () => {
          const deviceId = newDevice();
          const note = { deviceId: { S: deviceId }, note: { S: 'kept' } };
          expect(await items.insert({ tableName: states, keyNames: ['deviceId'], item: note })).toEqual({
            outcome: 'inserted',
          });
          expect(await advance(deviceId, 1, true)).toEqual({ outcome: 'advanced' });
          expect(await advance(deviceId, 2)).toEqual({ outcome: 'advanced' });
          expect(await read(deviceId)).toMatchObject({ page: { N: '2' }, note: { S: 'kept' } });
        });

        it('gives each caller its own outcome, also of those that share a request', async () => {
          const [taken, large] = [newDevice(), newDevice()];
          await insert(pageOf(taken));
          await advance(taken, 5);
          const results = await Promise.allSettled([
            insert(pageOf(taken)),
            advance(taken, 4),
            insert(pageOf(large, new Uint8Array(420_000))),
            items.insert({ tableName: 'nowhere', keyNames: KEY_NAMES, item: pageOf(taken) }),
            // A number that DynamoDB does not take: it may refuse the whole request.
            items.insert({
              tableName: pages,
              keyNames: KEY_NAMES,
              item: { ...pageOf(newDevice()), number: { N: 'one' } },
            }),
            insert(pageOf(newDevice())),
            advance(newDevice(), 1),
          ]);
          expect(
            results.map((result) =>
              result.status === 'fulfilled' ? result.value.outcome : result.reason.code,
            ),
          ).toEqual([
            'exists',
            'not-below',
            'DYNAMODB_REFUSED',
            'DYNAMODB_REFUSED',
            'DYNAMODB_REFUSED',
            'inserted',
            'advanced',
          ]);
        });

        it('gives each reader its own item, whatever the others read', async () => {
          const own = Array.from({ length: 130 }, newDevice);
          await Promise.all(own.slice(0, 120).map((deviceId) => advance(deviceId, 1)));
          const page = pageOf(newDevice());
          await insert(page);
          const { body: _body, ...key } = page;
          const readTwice = [...own, ...own.slice(0, 3)];
          const results = await Promise.allSettled([
            ...readTwice.map(read),
            items.get({ tableName: pages, key }),
            items.get({ tableName: states, key: { deviceId: { S: own[0] ?? '' } }, consistent: false }),
            items.get({ tableName: 'nowhere', key }),
          ]);
          const found = results.map((result) =>
            result.status === 'fulfilled' ? result.value?.deviceId?.S : result.reason.code,
          );
          expect(found).toEqual([
            ...readTwice.map((deviceId, n) => (n >= 120 && n < 130 ? undefined : deviceId)),
            page.deviceId?.S,
            own[0],
            'DYNAMODB_REFUSED',
          ]);
        });

        it('rejects with the reason of an abort', async () => {
          const signal = AbortSignal.abort(new Error('enough'));
          const request = { tableName: pages, keyNames: KEY_NAMES, item: pageOf(newDevice()) };
          await expect(items.insert(request, signal)).rejects.toThrow('enough');
        });
      });
    });
  });
}

it('goes on with single writes where the endpoint has no batches, and says so once', async () => {
  const dynamoDb = await dynaliteEngine.start();
  const tableName = await dynamoDb.createTable(STATES);
  const warnings: unknown[] = [];
  const logger = { warn: (fields: unknown) => void warnings.push(fields) };
  const items = batchedItems(sdkRequests(dynamoDb.client), { logger });
  const item = (n: number) => ({ deviceId: { S: `device-${n}` }, page: { N: '1' } });
  const insert = (n: number) => items.insert({ tableName, keyNames: ['deviceId'], item: item(n) });
  const outcomes = await Promise.all(Array.from({ length: 30 }, (_, n) => insert(n)));
  expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['inserted']));
  expect(await insert(3)).toMatchObject({ outcome: 'exists' });
  const advanced = await items.advance({
    tableName,
    key: { deviceId: { S: 'device-3' } },
    attributes: { page: { N: '2' } },
    risingAttribute: 'page',
  });
  expect(advanced).toEqual({ outcome: 'advanced' });
  expect(warnings).toMatchObject([{ code: 'BATCH_WRITES_UNKNOWN' }]);
  await dynamoDb.close();
});
