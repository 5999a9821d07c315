import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { HttpRequest } from '@smithy/core/protocols';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { enableFastPath } from '../src/dynamodb/fast-path.ts';

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
  return { client, requests, sentAtMs };
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
const PUT: PutItemCommandInput = {
  TableName: 'events',
  Item: VALUES,
  ConditionExpression: 'attribute_not_exists(#id)',
  ExpressionAttributeNames: { '#id': 'id' },
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  ReturnConsumedCapacity: 'TOTAL',
};
const send = {
  PutItem: (client: DynamoDBClient) => client.send(new PutItemCommand(PUT)),
  GetItem: (client: DynamoDBClient) =>
    client.send(new GetItemCommand({ TableName: 'events', Key: { id: BYTES }, ConsistentRead: true })),
  UpdateItem: (client: DynamoDBClient) =>
    client.send(
      new UpdateItemCommand({
        TableName: 'events',
        Key: { id: { S: 'a' } },
        UpdateExpression: 'SET a = :map',
        ExpressionAttributeValues: { ':map': NESTED },
      }),
    ),
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
    const { client, requests } = scripted(DONE);
    enableFastPath(client);
    for (let n = 0; n < 2; n += 1) await sendOne(client);
    const [whole, short] = requests;
    expect(whole?.headers).toHaveProperty('amz-sdk-invocation-id');
    expect(short?.headers).not.toHaveProperty('amz-sdk-invocation-id');
    expect(short && essence(short)).toEqual(whole && essence(whole));
    expect(short?.headers.authorization).toMatch(/Signature=[0-9a-f]{64}$/);
  });

  it('answers as the SDK does', async () => {
    const item = { Item: { body: { B: 'AP8H' }, list: { L: [{ N: '1' }, { BS: ['AQ=='] }] } } };
    const { client } = scripted(() => ({ statusCode: 200, body: item }));
    enableFastPath(client);
    const [whole, short] = [await send.GetItem(client), await send.GetItem(client)];
    expect(plain(short.Item)).toEqual(plain(whole.Item));
    expect(short.$metadata).toMatchObject({ httpStatusCode: 200, requestId: 'id' });
  });

  it('throws for a failed condition what the SDK throws, with the item that stands there', async () => {
    const { client, requests } = scripted(DONE, refused);
    enableFastPath(client);
    await send.PutItem(client);
    const failure: unknown = await send.PutItem(client).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConditionalCheckFailedException);
    if (!(failure instanceof ConditionalCheckFailedException)) return;
    expect(plain(failure.Item)).toEqual({ body: { B: [0, 255, 7] }, n: { N: '1' } });
    expect(requests).toHaveLength(2);
  });

  it('leaves a throttle to the SDK and its tries', async () => {
    const { client, requests } = scripted(DONE, throttled, throttled, DONE);
    enableFastPath(client);
    await send.PutItem(client);
    await send.PutItem(client);
    expect(requests.map(({ headers }) => 'amz-sdk-request' in headers)).toEqual([true, false, true, true]);
  });

  it('waits out a throttle before the SDK tries again', async () => {
    // The longest wait that can be drawn: the SDK's own first delay, of 100 ms.
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { client, requests, sentAtMs } = scripted(DONE, throttled, DONE);
    enableFastPath(client);
    for (let n = 0; n < 2; n += 1) await send.PutItem(client);
    expect(requests.map(({ headers }) => 'amz-sdk-request' in headers)).toEqual([true, false, true]);
    const [, throttledMs = 0, againMs = 0] = sentAtMs;
    expect(againMs - throttledMs).toBeGreaterThan(90);
  });

  it('signs by the clock that the SDK has corrected', async () => {
    const { client, requests } = scripted(DONE);
    enableFastPath(client);
    await send.PutItem(client);
    client.config.systemClockOffset = 3_600_000;
    await send.PutItem(client);
    const [, short] = requests;
    expect(short?.headers).not.toHaveProperty('amz-sdk-request');
    const time = short?.headers['x-amz-date']?.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z');
    expect(Math.abs(Date.parse(time ?? '') - Date.now() - 3_600_000)).toBeLessThan(60_000);
  });

  it('leaves a request that got no answer to the SDK', async () => {
    const hangUp: Answer = () => {
      throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    };
    const { client, requests } = scripted(DONE, hangUp, DONE);
    enableFastPath(client);
    await send.PutItem(client);
    await send.PutItem(client);
    expect(requests).toHaveLength(3);
  });

  it('ends with an abort, and is not tried again', async () => {
    const { client, requests } = scripted(DONE);
    enableFastPath(client);
    await send.PutItem(client);
    const abortSignal = AbortSignal.abort(new Error('enough'));
    await expect(client.send(new PutItemCommand(PUT), { abortSignal })).rejects.toThrow('enough');
    expect(requests).toHaveLength(1);
  });

  it('learns the way of each table and operation from the SDK', async () => {
    const { client, requests } = scripted(DONE);
    enableFastPath(client);
    await send.PutItem(client);
    await client.send(new PutItemCommand({ ...PUT, TableName: 'elsewhere' }));
    await send.GetItem(client);
    expect(requests.every(({ headers }) => 'amz-sdk-request' in headers)).toBe(true);
  });

  it('leaves requests to the SDK that hold what it does not know', async () => {
    const { client, requests } = scripted(DONE);
    enableFastPath(client);
    await send.PutItem(client);
    await client.send(new PutItemCommand({ ...PUT, ReturnItemCollectionMetrics: 'SIZE' }));
    expect(requests.every(({ headers }) => 'amz-sdk-request' in headers)).toBe(true);
  });
});

/** A body as it goes over the wire. */
function textOf(body: unknown): unknown {
  return JSON.parse(body instanceof Uint8Array ? new TextDecoder().decode(body) : String(body));
}

/** Bytes as lists, whichever class of bytes they are. */
function plain(item: Record<string, AttributeValue> | undefined): unknown {
  return JSON.parse(
    JSON.stringify(item, (_, value: unknown) => {
      const isBuffer =
        typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';
      if (isBuffer && 'data' in value) return value.data;
      return value instanceof Uint8Array ? [...value] : value;
    }),
  );
}
