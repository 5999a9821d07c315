import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { HttpRequest } from '@smithy/core/protocols';
import { isPlainPath, type PostSigner, postSigner } from './post-signer.ts';
import { readWireAttributes, type WireAttributes, wireAttributes } from './wire-attributes.ts';

/*
 * Most of the SDK's processor time for a request goes into other things than signing and sending it: it lays its
 * middleware stack again, resolves the endpoint by rules, and walks schemas. For the three requests that writers of pages
 * and states make by the million, none of that changes from one to the next. So the first request of each operation and
 * table goes the SDK's whole way, and the next ones repeat what it sent, with their own body and signature, the SDK's
 * credentials and the client's HTTP handler. Whatever is not plainly answered goes the whole way again: its retries,
 * its errors and its correction of the clock are the SDK's.
 */

type Operation = 'GetItem' | 'PutItem' | 'UpdateItem';

/** Members that are repeated as they are; a request with any other goes the SDK's whole way. */
const PLAIN_MEMBERS: ReadonlySet<string> = new Set([
  'TableName',
  'ConsistentRead',
  'ConditionExpression',
  'UpdateExpression',
  'ProjectionExpression',
  'ExpressionAttributeNames',
  'ReturnConsumedCapacity',
  'ReturnValues',
  'ReturnValuesOnConditionCheckFailure',
]);
const ATTRIBUTE_MEMBERS: ReadonlySet<string> = new Set(['Item', 'Key', 'ExpressionAttributeValues']);

/** Headers that belong to one request, or that the signer makes. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'amz-sdk-invocation-id',
  'amz-sdk-request',
  'authorization',
  'content-length',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
  'x-amzn-trace-id',
]);
const CREDENTIAL_SCOPE = /Credential=[^/]+\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/;
/** Operations and tables whose way is remembered. Further ones go the SDK's whole way. */
const ROUTES_MAX = 256;
/** Waited at most before the SDK tries what was throttled or failed in the server: its own first delay. */
const RETRY_DELAY_MS = 100;

/** What the requests of one operation on one table have in common. */
interface Route {
  readonly address: Pick<HttpRequest, 'protocol' | 'hostname' | 'method' | 'path'> & {
    readonly port?: number;
  };
  readonly sign: PostSigner;
}

interface SendOptions {
  readonly abortSignal?: AbortSignal;
  readonly requestTimeout?: number;
}

/** Members of an input that this file reads; the SDK's own types say which there are. */
type Input = Readonly<Record<string, unknown>> & { readonly TableName?: string | undefined };

interface Answer {
  readonly __type?: string;
  readonly message?: string;
  readonly Message?: string;
  readonly Item?: WireAttributes;
  readonly Attributes?: WireAttributes;
}

/**
 * Lets GetItem, PutItem and UpdateItem requests of this client take the fast path, and returns the client. What it
 * answers and throws is what the SDK does; a request that fails for another reason than its condition is tried once
 * more than the SDK is set to. An abort ends it as it does the SDK's.
 */
export function enableFastPath(client: DynamoDBClient): DynamoDBClient {
  const routes = new Map<string, Route>();
  const sendWhole = client.send.bind(client) as (command: unknown, ...rest: unknown[]) => Promise<unknown>;
  client.middlewareStack.add(
    (next) =>
      async ({ input, request }) =>
        await learn(next, { input, request }),
    {
      step: 'deserialize',
      priority: 'low',
      name: 'learnFastPath',
    },
  );

  async function learn<Result>(
    next: (args: { input: object; request: unknown }) => Promise<Result>,
    args: { input: object; request: unknown },
  ): Promise<Result> {
    const result = await next(args);
    const { input, request } = args;
    if (routes.size < ROUTES_MAX && HttpRequest.isInstance(request)) {
      const operation = request.headers['x-amz-target']?.split('.')[1] ?? '';
      const key = routeKey(operation, input);
      const route = routes.has(key) ? undefined : routeOf(client, request);
      if (route !== undefined) routes.set(key, route);
    }
    return result;
  }

  const send = async (command: unknown, ...rest: unknown[]): Promise<unknown> => {
    const operation = operationOf(command);
    if (operation === undefined || rest.length > 1 || typeof rest[0] === 'function') {
      return await sendWhole(command, ...rest);
    }
    const { input } = command as { input: Input };
    const route = routes.get(routeKey(operation, input));
    const body = route && bodyOf(input);
    if (route === undefined || body === undefined) return await sendWhole(command, ...rest);
    const options = (rest[0] ?? {}) as SendOptions;
    const answer = await attempt(client, route, body, options);
    if (answer === 'whole-path') return await sendWhole(command, ...rest);
    return answer;
  };
  client.send = send as DynamoDBClient['send'];
  return client;
}

function routeKey(operation: string, input: object): string {
  return `${operation} ${'TableName' in input ? input.TableName : ''}`;
}

function operationOf(command: unknown): Operation | undefined {
  if (command instanceof PutItemCommand) return 'PutItem';
  if (command instanceof UpdateItemCommand) return 'UpdateItem';
  return command instanceof GetItemCommand ? 'GetItem' : undefined;
}

function routeOf(client: DynamoDBClient, request: HttpRequest): Route | undefined {
  const { protocol, hostname, port, method, path } = request;
  const [, region, service] = CREDENTIAL_SCOPE.exec(request.headers.authorization ?? '') ?? [];
  const isPlain = method === 'POST' && isPlainPath(path) && Object.keys(request.query).length === 0;
  if (region === undefined || service === undefined || !isPlain) return undefined;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (!OWN_HEADERS.has(name.toLowerCase())) headers[name.toLowerCase()] = value;
  }
  const { credentials } = client.config;
  return {
    address: { protocol, hostname, method, path, ...(port === undefined ? {} : { port }) },
    sign: postSigner({ path, headers, region, service, credentials }),
  };
}

/** The request's body, or undefined where it holds members whose form is not known here. */
function bodyOf(input: Input): string | undefined {
  const wire: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined) continue;
    if (PLAIN_MEMBERS.has(name)) wire[name] = value;
    else if (ATTRIBUTE_MEMBERS.has(name)) wire[name] = wireAttributes(value as never);
    else return undefined;
  }
  return JSON.stringify(wire);
}

async function attempt(
  client: DynamoDBClient,
  { address, sign }: Route,
  body: string,
  { abortSignal, requestTimeout }: SendOptions,
): Promise<object | 'whole-path'> {
  const { config } = client;
  let statusCode: number;
  let answer: Answer;
  let requestId: string | undefined;
  try {
    const headers = await sign(body, new Date(Date.now() + config.systemClockOffset));
    const request = new HttpRequest({ ...address, headers, body });
    const { response } = await config.requestHandler.handle(request, {
      ...(abortSignal === undefined ? {} : { abortSignal }),
      ...(requestTimeout === undefined ? {} : { requestTimeout }),
    });
    statusCode = response.statusCode;
    requestId = response.headers['x-amzn-requestid'];
    const bytes: Uint8Array =
      response.body instanceof Uint8Array ? response.body : await config.streamCollector(response.body);
    answer = JSON.parse(config.utf8Encoder(bytes));
  } catch (error) {
    if (abortSignal?.aborted) throw error;
    return 'whole-path';
  }
  const $metadata = {
    httpStatusCode: statusCode,
    ...(requestId === undefined ? {} : { requestId }),
    attempts: 1,
    totalRetryDelay: 0,
  };
  if (statusCode === 200) return { ...answer, ...attributesOf(answer), $metadata };
  if (answer.__type?.endsWith('#ConditionalCheckFailedException')) {
    const message = answer.message ?? answer.Message ?? 'The conditional request failed';
    throw new ConditionalCheckFailedException({ message, $metadata, ...attributesOf(answer) });
  }
  await sleep(Math.random() * RETRY_DELAY_MS, undefined, abortSignal && { signal: abortSignal });
  return 'whole-path';
}

function attributesOf({ Item, Attributes }: Answer) {
  return {
    ...(Item === undefined ? {} : { Item: readWireAttributes(Item) }),
    ...(Attributes === undefined ? {} : { Attributes: readWireAttributes(Attributes) }),
  };
}
