import { setTimeout as sleep } from 'node:timers/promises';
import {
  BatchExecuteStatementCommand,
  BatchGetItemCommand,
  type BatchStatementError,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { HttpRequest } from '@smithy/core/protocols';
import type { DynamoDbRequests, RequestOptions, StatementInput } from './dynamodb-requests.ts';
import { isPlainPath, type PostSigner, postSigner } from './post-signer.ts';
import { readWireAttributes, type WireAttributes, wireAttributes, wireValues } from './wire-attributes.ts';

/*
 * Most of the SDK's processor time for a request goes into other things than signing and sending it: it lays its
 * middleware stack again, resolves the endpoint by rules, and walks schemas. For the requests that writers of pages and
 * states make by the million, none of that changes from one to the next. So the first request of each operation and
 * table goes through the SDK, and the next ones repeat what it sent, with their own body and signature, the SDK's
 * credentials and the client's HTTP handler. Whatever is not plainly answered falls back to the SDK: its retries,
 * its errors and its correction of the clock are the SDK's.
 */

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
/** Operations and tables whose first request is remembered. Further ones fall back to the SDK. */
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

/** An operation as it is sent: the SDK's command, the JSON of its input, and how its answer is read. */
interface Operation<Input, Output> {
  /** The operation's own name, and the tables whose way it goes. */
  readonly routeKey: (input: Input) => string;
  readonly command: new (input: Input) => object;
  readonly body: (input: Input) => string;
  readonly read: (document: never) => Partial<Output>;
}

/** Commands differ in types alone. */
type SdkCommand = PutItemCommand;

type InputOf<Name extends keyof DynamoDbRequests> = Parameters<DynamoDbRequests[Name]>[0];
type OutputOf<Name extends keyof DynamoDbRequests> = Awaited<ReturnType<DynamoDbRequests[Name]>>;
type Operations = {
  readonly [Name in keyof DynamoDbRequests]: Operation<InputOf<Name>, OutputOf<Name>>;
};

interface ItemDocument {
  readonly Item?: WireAttributes;
  readonly Attributes?: WireAttributes;
}

interface BatchGetDocument {
  readonly Responses?: Readonly<Record<string, readonly WireAttributes[]>>;
  readonly UnprocessedKeys?: Readonly<Record<string, { readonly Keys: readonly WireAttributes[] }>>;
}

interface StatementResponse {
  readonly TableName?: string;
  readonly Item?: WireAttributes;
  readonly Error?: Pick<BatchStatementError, 'Code' | 'Message'> & { readonly Item?: WireAttributes };
}

interface StatementsDocument {
  readonly Responses?: readonly StatementResponse[];
}

interface ErrorDocument extends ItemDocument {
  readonly __type?: string;
  readonly message?: string;
  readonly Message?: string;
}

const OPERATIONS: Operations = {
  getItem: {
    routeKey: ({ TableName = '' }) => `GetItem ${TableName}`,
    command: GetItemCommand,
    body: ({ Key = {}, ...plain }) => JSON.stringify({ ...plain, Key: wireAttributes(Key) }),
    read: attributesOf,
  },
  putItem: {
    routeKey: ({ TableName = '' }) => `PutItem ${TableName}`,
    command: PutItemCommand,
    body: ({ Item = {}, ExpressionAttributeValues: values, ...plain }) =>
      JSON.stringify({ ...plain, Item: wireAttributes(Item), ExpressionAttributeValues: optional(values) }),
    read: attributesOf,
  },
  updateItem: {
    routeKey: ({ TableName = '' }) => `UpdateItem ${TableName}`,
    command: UpdateItemCommand,
    body: ({ Key = {}, ExpressionAttributeValues: values, ...plain }) =>
      JSON.stringify({ ...plain, Key: wireAttributes(Key), ExpressionAttributeValues: optional(values) }),
    read: attributesOf,
  },
  batchGetItem: {
    routeKey: ({ RequestItems = {} }) => `BatchGetItem ${Object.keys(RequestItems).join(' ')}`,
    command: BatchGetItemCommand,
    body: ({ RequestItems = {} }) => {
      const tables = Object.entries(RequestItems).map(([name, { Keys = [], ...plain }]) => [
        name,
        { ...plain, Keys: Keys.map(wireAttributes) },
      ]);
      return JSON.stringify({ RequestItems: Object.fromEntries(tables) });
    },
    read: ({ Responses = {}, UnprocessedKeys = {} }: BatchGetDocument) => ({
      Responses: mapTables(Responses, (items) => items.map(readWireAttributes)),
      UnprocessedKeys: mapTables(UnprocessedKeys, ({ Keys }) => ({ Keys: Keys.map(readWireAttributes) })),
    }),
  },
  batchExecuteStatement: {
    routeKey: () => 'BatchExecuteStatement',
    command: BatchExecuteStatementCommand,
    body: ({ Statements, ReturnConsumedCapacity: capacity }) => {
      const ending = capacity === undefined ? ']}' : `],"ReturnConsumedCapacity":"${capacity}"}`;
      return `{"Statements":[${Statements.map(statementJson).join(',')}${ending}`;
    },
    read: ({ Responses = [] }: StatementsDocument) => ({ Responses: Responses.map(readStatement) }),
  },
};

/** JSON of statements' texts, of which there are few. */
const STATEMENT_TEXTS_MAX = 1_024;
const statementTexts = new Map<string, string>();

function statementJson(statement: StatementInput): string {
  const { Statement: text = '', Parameters, ReturnValuesOnConditionCheckFailure: returned } = statement;
  let json = statementTexts.get(text);
  if (json === undefined) {
    json = `{"Statement":${JSON.stringify(text)}`;
    if (statementTexts.size < STATEMENT_TEXTS_MAX) statementTexts.set(text, json);
  }
  if (Parameters !== undefined) json += `,"Parameters":${JSON.stringify(wireValues(Parameters))}`;
  if (returned !== undefined) json += `,"ReturnValuesOnConditionCheckFailure":"${returned}"`;
  return `${json}}`;
}

function optional(values: Parameters<typeof wireAttributes>[0] | undefined): unknown {
  return values && wireAttributes(values);
}

function mapTables<From, To>(tables: Readonly<Record<string, From>>, change: (of: From) => To) {
  return Object.fromEntries(Object.entries(tables).map(([name, of]) => [name, change(of)]));
}

/** Of a write that took effect it is what the service sent. */
function readStatement(response: StatementResponse) {
  const { TableName, Item, Error: error } = response;
  if (Item === undefined && error === undefined) return response as Omit<StatementResponse, 'Item' | 'Error'>;
  return {
    ...(TableName === undefined ? {} : { TableName }),
    ...(Item === undefined ? {} : { Item: readWireAttributes(Item) }),
    ...(error === undefined ? {} : { Error: readError(error) }),
  };
}

function readError({ Item, ...error }: NonNullable<StatementResponse['Error']>): BatchStatementError {
  return { ...error, ...(Item === undefined ? {} : { Item: readWireAttributes(Item) }) };
}

function attributesOf({ Item, Attributes }: ItemDocument) {
  return {
    ...(Item === undefined ? {} : { Item: readWireAttributes(Item) }),
    ...(Attributes === undefined ? {} : { Attributes: readWireAttributes(Attributes) }),
  };
}

/**
 * Requests that repeat the way of the SDK's first one of their operation and table. What they return and throw is what the
 * SDK does; a request that fails for another reason than its condition is tried once more than the SDK is set to. An
 * abort ends it as it does the SDK's. The client itself stays as it is.
 */
export function fastRequests(client: DynamoDBClient): DynamoDbRequests {
  const routes = new Map<string, Route>();

  function sender<Input extends object, Output>(operation: Operation<Input, Output>) {
    return async (input: Input, options: RequestOptions = {}): Promise<Output> => {
      const key = operation.routeKey(input);
      const route = routes.get(key);
      if (route !== undefined) {
        const answer = await attempt(client, route, operation.body(input), options);
        if (answer !== 'whole-path') {
          // The members that are read are those of the SDK's answer; the rest is as the service sent it.
          const { document, $metadata } = answer;
          return { ...document, ...operation.read(document as never), $metadata } as Output;
        }
      }
      const command = new operation.command(input) as SdkCommand;
      if (route === undefined && routes.size < ROUTES_MAX) learn(command, key);
      return (await client.send(command, options)) as Output;
    };
  }

  /** Keeps what the SDK sends for a command, once it was answered. */
  function learn(command: SdkCommand, key: string): void {
    command.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        const route = HttpRequest.isInstance(args.request) ? routeOf(client, args.request) : undefined;
        if (route !== undefined) routes.set(key, route);
        return result;
      },
      { step: 'deserialize', priority: 'low', name: 'learnFastPath' },
    );
  }

  return {
    getItem: sender(OPERATIONS.getItem),
    putItem: sender(OPERATIONS.putItem),
    updateItem: sender(OPERATIONS.updateItem),
    batchGetItem: sender(OPERATIONS.batchGetItem),
    batchExecuteStatement: sender(OPERATIONS.batchExecuteStatement),
  };
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

interface FastAnswer {
  readonly document: object;
  readonly $metadata: object;
}

async function attempt(
  client: DynamoDBClient,
  { address, sign }: Route,
  body: string,
  { abortSignal }: RequestOptions,
): Promise<FastAnswer | 'whole-path'> {
  const { config } = client;
  let statusCode: number;
  let document: ErrorDocument;
  let requestId: string | undefined;
  try {
    const headers = await sign(body, new Date(Date.now() + config.systemClockOffset));
    const request = new HttpRequest({ ...address, headers, body });
    const { response } = await config.requestHandler.handle(
      request,
      abortSignal === undefined ? {} : { abortSignal },
    );
    statusCode = response.statusCode;
    requestId = response.headers['x-amzn-requestid'];
    const bytes: Uint8Array =
      response.body instanceof Uint8Array ? response.body : await config.streamCollector(response.body);
    document = JSON.parse(config.utf8Encoder(bytes));
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
  if (statusCode === 200) return { document, $metadata };
  if (document.__type?.endsWith('#ConditionalCheckFailedException')) {
    const message = document.message ?? document.Message ?? 'The conditional request failed';
    throw new ConditionalCheckFailedException({ message, $metadata, ...attributesOf(document) });
  }
  await sleep(Math.random() * RETRY_DELAY_MS, undefined, abortSignal && { signal: abortSignal });
  return 'whole-path';
}
