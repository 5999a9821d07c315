import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import type { HttpRequest } from '@smithy/core/protocols';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { DynamoDbRequests, PutItemInput } from '../src/dynamodb/dynamodb-requests.ts';
import { fastRequests } from '../src/dynamodb/fast-path.ts';

type Answer = (request: HttpRequest) => { readonly statusCode: number; readonly body: object };

const DONE: Answer = () => ({ statusCode: 200, body: {} });

/** A client whose requests are kept and answered by what `answers` holds, one after the other, the last one for ever. */
function scripted(...answers: readonly [Answer, ...Answer[]]) {
  const requests: HttpRequest[] = [];
  const sentAtMs: number[] = [];
  const client = new DynamoDBClient({
    region: 'eu-west-1',
    endpoint: 'http://127.0.0.1:9/base',
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret', sessionToken: 'token' },
    requestHandler: {
      handle: async (request: HttpRequest, options?: { abortSignal?: AbortSignal }) => {
        options?.abortSignal?.throwIfAborted();
        const answer = answers[Math.min(requests.length, answers.length - 1)] ?? DONE;
        requests.push(request);
        sentAtMs.push(performance.now());
        const { statusCode, body } = answer(request);
        const bytes = new TextEncoder().encode(JSON.stringify(body));
        return { response: { statusCode, headers: { 'x-amzn-requestid': 'id' }, body: bytes } };
      },
    },
  });
  return { client, fast: fastRequests(client), requests, sentAtMs };
}

/** What the SDK alone adds, and the fast path does not: it counts the SDK's tries. */
const SDK_ONLY = ['amz-sdk-invocation-id', 'amz-sdk-request'];

/** What of a request must not differ between two ways of sending the same. */
function essence({ method, protocol, hostname, port, path, headers, body }: HttpRequest) {
  const scope = headers.authorization?.replace(/SignedHeaders=.*/, '').replace(/\d{8}/, 'date');
  const names = Object.keys(headers).filter((name) => !SDK_ONLY.includes(name));
  const fixed = ['host', 'content-type', 'content-length', 'x-amz-target', 'x-amz-security-token'];
  const values = fixed.map((name) => headers[name]);
  return {
    method,
    protocol,
    hostname,
    port,
    path,
    scope,
    names: names.sort(),
    values,
    body: textOf(body),
  };
}

const BYTES: AttributeValue = { B: new Uint8Array([0, 255, 7]).subarray(1) };
const NESTED: AttributeValue = {
  M: { inner: { L: [{ B: new Uint8Array([9]) }, { NULL: true }, { BOOL: false }] } },
};
const VALUES: Record<string, AttributeValue> = {
  text: { S: 'é "\u2028' },
  number: { N: '-1.25e-7' },
  bytes: BYTES,
  set: { BS: [new Uint8Array([1]), new Uint8Array()] },
  map: NESTED,
};
const PUT: PutItemInput = {
  TableName: 'events',
  Item: VALUES,
  ConditionExpression: 'attribute_not_exists(#id)',
  ExpressionAttributeNames: { '#id': 'id' },
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  ReturnConsumedCapacity: 'TOTAL',
};
const send = {
  PutItem: (fast: DynamoDbRequests) => fast.putItem(PUT),
  GetItem: (fast: DynamoDbRequests) =>
    fast.getItem({ TableName: 'events', Key: { id: BYTES }, ConsistentRead: true }),
  UpdateItem: (fast: DynamoDbRequests) =>
    fast.updateItem({
      TableName: 'events',
      Key: { id: { S: 'a' } },
      UpdateExpression: 'SET a = :map',
      ExpressionAttributeValues: { ':map': NESTED },
    }),
  BatchGetItem: (fast: DynamoDbRequests) =>
    fast.batchGetItem({
      RequestItems: { events: { Keys: [{ id: BYTES }, { id: { S: 'b' } }], ConsistentRead: true } },
    }),
  BatchExecuteStatement: (fast: DynamoDbRequests) =>
    fast.batchExecuteStatement({
      Statements: [
        { Statement: 'INSERT', Parameters: Object.values(VALUES) },
        { Statement: 'UPDATE', Parameters: [{ S: 'a' }], ReturnValuesOnConditionCheckFailure: 'ALL_OLD' },
      ],
      ReturnConsumedCapacity: 'TOTAL',
    }),
};

const refused: Answer = () => ({
  statusCode: 400,
  body: {
    __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException',
    Message: 'The conditional request failed',
    Item: { body: { B: 'AP8H' }, n: { N: '1' } },
  },
});
const throttled: Answer = () => ({
  statusCode: 400,
  body: {
    __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
    message: 'slow',
  },
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the fast path', () => {
  it.each(Object.entries(send))('sends a %s request that is the SDK’s own', async (_, sendOne) => {
    const { fast, requests } = scripted(DONE);
    for (let n = 0; n < 2; n += 1) await sendOne(fast);
    const [whole, short] = requests;
    expect(whole?.headers).toHaveProperty('amz-sdk-invocation-id');
    expect(short?.headers).not.toHaveProperty('amz-sdk-invocation-id');
    expect(short && essence(short)).toEqual(whole && essence(whole));
    expect(short?.headers.authorization).toMatch(/Signature=[0-9a-f]{64}$/);
  });

  it('answers as the SDK does', async () => {
    const item = { Item: { body: { B: 'AP8H' }, list: { L: [{ N: '1' }, { BS: ['AQ=='] }] } } };
    const { fast } = scripted(() => ({ statusCode: 200, body: item }));
    const [whole, short] = [await send.GetItem(fast), await send.GetItem(fast)];
    expect(plain(short.Item)).toEqual(plain(whole.Item));
    expect(short.$metadata).toMatchObject({ httpStatusCode: 200, requestId: 'id' });
  });

  it('throws for a failed condition what the SDK throws, with the item that stands there', async () => {
    const { fast, requests } = scripted(DONE, refused);
    await send.PutItem(fast);
    const failure: unknown = await send.PutItem(fast).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConditionalCheckFailedException);
    if (!(failure instanceof ConditionalCheckFailedException)) return;
    expect(plain(failure.Item)).toEqual({ body: { B: [0, 255, 7] }, n: { N: '1' } });
    expect(requests).toHaveLength(2);
  });

  it('leaves a throttle to the SDK and its tries', async () => {
    const { fast, requests } = scripted(DONE, throttled, throttled, DONE);
    await send.PutItem(fast);
    await send.PutItem(fast);
    expect(requests.map(({ headers }) => 'amz-sdk-request' in headers)).toEqual([true, false, true, true]);
  });

  it('waits out a throttle before the SDK tries again', async () => {
    // The longest wait that can be drawn: the SDK's own first delay, of 100 ms.
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { fast, requests, sentAtMs } = scripted(DONE, throttled, DONE);
    for (let n = 0; n < 2; n += 1) await send.PutItem(fast);
    expect(requests.map(({ headers }) => 'amz-sdk-request' in headers)).toEqual([true, false, true]);
    const [, throttledMs = 0, againMs = 0] = sentAtMs;
    expect(againMs - throttledMs).toBeGreaterThan(90);
  });

  it('signs by the clock that the SDK has corrected', async () => {
    const { client, fast, requests } = scripted(DONE);
    await send.PutItem(fast);
    client.config.systemClockOffset = 3_600_000;
    await send.PutItem(fast);
    const [, short] = requests;
    expect(short?.headers).not.toHaveProperty('amz-sdk-request');
    const time = short?.headers['x-amz-date']?.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z');
    expect(Math.abs(Date.parse(time ?? '') - Date.now() - 3_600_000)).toBeLessThan(60_000);
  });

  it('leaves a request that got no answer to the SDK', async () => {
    const hangUp: Answer = () => {
      throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    };
    const { fast, requests } = scripted(DONE, hangUp, DONE);
    await send.PutItem(fast);
    await send.PutItem(fast);
    expect(requests).toHaveLength(3);
  });

  it('ends with an abort, and is not tried again', async () => {
    const { fast, requests } = scripted(DONE);
    await send.PutItem(fast);
    const abortSignal = AbortSignal.abort(new Error('enough'));
    await expect(fast.putItem(PUT, { abortSignal })).rejects.toThrow('enough');
    expect(requests).toHaveLength(1);
  });

  it('learns the way of each table and operation from the SDK', async () => {
    const { fast, requests } = scripted(DONE);
    await send.PutItem(fast);
    await fast.putItem({ ...PUT, TableName: 'elsewhere' });
    await send.GetItem(fast);
    expect(requests.every(({ headers }) => 'amz-sdk-request' in headers)).toBe(true);
  });

  it('reads the answers of batches as the SDK does', async () => {
    const items = [{ body: { B: 'AP8H' } }, { list: { L: [{ BS: ['AQ=='] }] } }];
    const unprocessed = { events: { Keys: [{ id: { B: 'AP8H' } }] } };
    const gets = scripted(() => ({
      statusCode: 200,
      body: { Responses: { events: items }, UnprocessedKeys: unprocessed },
    }));
    const [wholeGet, fastGet] = [await send.BatchGetItem(gets.fast), await send.BatchGetItem(gets.fast)];
    expect(plain(fastGet.Responses)).toEqual(plain(wholeGet.Responses));
    expect(plain(fastGet.UnprocessedKeys)).toEqual(plain(wholeGet.UnprocessedKeys));
    const statements = scripted(() => ({
      statusCode: 200,
      body: {
        Responses: [
          { TableName: 'events' },
          { TableName: 'events', Error: { Code: 'ConditionalCheckFailed', Message: 'no', Item: items[0] } },
        ],
        ConsumedCapacity: [{ TableName: 'events', CapacityUnits: 2 }],
      },
    }));
    const [whole, short] = [
      await send.BatchExecuteStatement(statements.fast),
      await send.BatchExecuteStatement(statements.fast),
    ];
    expect(statements.requests.map(({ headers }) => 'amz-sdk-request' in headers)).toEqual([true, false]);
    expect(plain(short.Responses)).toEqual(plain(whole.Responses));
    expect(short.ConsumedCapacity).toEqual(whole.ConsumedCapacity);
  });
});

/** A body as it goes over the wire. */
function textOf(body: unknown): unknown {
  return JSON.parse(body instanceof Uint8Array ? new TextDecoder().decode(body) : String(body));
}

/** Bytes as lists, whichever class of bytes they are. */
function plain(item: object | undefined): unknown {
  return JSON.parse(
    JSON.stringify(item, (_, value: unknown) => {
      const isBuffer =
        typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';
      if (isBuffer && 'data' in value) return value.data;
      return value instanceof Uint8Array ? [...value] : value;
    }),
  );
}
