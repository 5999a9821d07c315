import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { INVOCATION_PAYLOAD_BYTES_MAX } from '@twinstream/pipeline-settings';
import { answer, readBody } from '../http/loopback-server.ts';
import { EVENT_PAYLOAD_BYTES_MAX, type EventInvocations } from './event-invocations.ts';
import type { FunctionInvoker } from './function-invoker.ts';
import { type Functions, getFunctionConfiguration, listFunctions } from './function-operations.ts';
import {
  invalidParameter,
  type LambdaRefusal,
  notFound,
  ok,
  type Result,
  refused,
  tooManyRequests,
} from './lambda-error.ts';
import { type Account, functionNameOf } from './lambda-names.ts';
import { mappingConfiguration } from './mapping-configuration.ts';
import type { MappingRegistry } from './mapping-registry.ts';
import { mappingChange, mappingCreation } from './mapping-request.ts';

const MAPPINGS = /^\/2015-03-31\/event-source-mappings\/?$/;
const MAPPING = /^\/2015-03-31\/event-source-mappings\/([^/]+)\/?$/;
const FUNCTIONS = /^\/2015-03-31\/functions\/?$/;
const FUNCTION = /^\/2015-03-31\/functions\/([^/]+)(\/configuration)?$/;
const INVOCATIONS = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;
/** ListEventSourceMappings, API reference, read 2026-11. */
const LIST_ITEMS_MAX = 100;
/** A mapping that is being deleted may finish its invocations this long. */
const DELETE_GRACE_MS = 60_000;

export interface LambdaApiOptions {
  readonly account: Account;
  readonly registry: MappingRegistry;
  readonly invoker: FunctionInvoker;
  readonly events: EventInvocations;
  readonly functions: Functions;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The operations of the Lambda API that the emulator knows, on their real paths. */
export function lambdaApi(options: LambdaApiOptions) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request, INVOCATION_PAYLOAD_BYTES_MAX);
    const result =
      body === undefined
        ? refused(tooLarge(INVOCATION_PAYLOAD_BYTES_MAX))
        : await route(options, request, body.toString('utf8'));
    const requestId = randomUUID();
    if (result.kind === 'refused') {
      const { status, name, message } = result.refusal;
      const headers = {
        'content-type': 'application/json',
        'x-amzn-requestid': requestId,
        'x-amzn-errortype': name,
      };
      answer(response, status, headers, JSON.stringify({ Type: 'User', Message: message, message }));
      return;
    }
    const { status, headers, body: text } = result.value;
    answer(
      response,
      status,
      { 'content-type': 'application/json', 'x-amzn-requestid': requestId, ...headers },
      text,
    );
  };
}

function tooLarge(bytesMax: number): LambdaRefusal {
  const message = `Request must be smaller than ${bytesMax} bytes for the InvokeFunction operation`;
  return { status: 413, name: 'RequestTooLargeException', message };
}

async function route(
  options: LambdaApiOptions,
  request: IncomingMessage,
  body: string,
): Promise<Result<Answer>> {
  const { method = 'GET' } = request;
  const url = new URL(request.url ?? '/', 'http://localhost');
  const invoked = INVOCATIONS.exec(url.pathname)?.[1];
  if (invoked !== undefined && method === 'POST') {
    return invoke(options, decodeURIComponent(invoked), request, body);
  }
  if (method === 'GET') {
    const shown = showFunctions(options, url);
    if (shown !== undefined) return shown;
  }
  if (MAPPINGS.test(url.pathname)) {
    if (method === 'GET') return list(options, url.searchParams);
    if (method === 'POST') return create(options, body);
  }
  const mappingId = MAPPING.exec(url.pathname)?.[1];
  if (mappingId !== undefined) {
    if (method === 'GET') return one(options, mappingId);
    if (method === 'PUT') return update(options, mappingId, body);
    if (method === 'DELETE') return remove(options, mappingId);
  }
  return refused({
    status: 404,
    name: 'UnknownOperationException',
    message: `the local emulator knows no ${method} ${url.pathname}`,
  });
}

/** ListFunctions, GetFunction and GetFunctionConfiguration; undefined for another path. */
function showFunctions({ functions, account }: LambdaApiOptions, url: URL): Result<Answer> | undefined {
  if (FUNCTIONS.test(url.pathname)) {
    const listed = listFunctions(functions, account, url.searchParams);
    return listed.kind === 'refused' ? listed : json(200, listed.value);
  }
  const [, name, configuration] = FUNCTION.exec(url.pathname) ?? [];
  if (name === undefined) return undefined;
  const found = getFunctionConfiguration(functions, account, decodeURIComponent(name));
  if (found.kind === 'refused') return found;
  return json(200, configuration === undefined ? { Configuration: found.value } : found.value);
}

function list({ registry, account }: LambdaApiOptions, query: URLSearchParams): Result<Answer> {
  const functionName = query.get('FunctionName');
  const eventSource = query.get('EventSourceArn');
  const marker = query.get('Marker') ?? '';
  const itemsMax = Number(query.get('MaxItems') ?? LIST_ITEMS_MAX);
  if (!Number.isInteger(itemsMax) || itemsMax < 1) {
    return refused(invalidParameter('MaxItems: must be a positive integer'));
  }
  const matching = registry.list().filter(({ definition }) => {
    if (functionName !== null && definition.functionName !== functionNameOf(functionName)) return false;
    if (eventSource !== null && definition.streamArn !== eventSource) return false;
    return definition.mappingId > marker;
  });
  const page = matching.slice(0, Math.min(itemsMax, LIST_ITEMS_MAX));
  const last = page.at(-1);
  return json(200, {
    EventSourceMappings: page.map((mapping) => mappingConfiguration(mapping, account)),
    ...(last && page.length < matching.length ? { NextMarker: last.definition.mappingId } : {}),
  });
}

function one({ registry, account }: LambdaApiOptions, mappingId: string): Result<Answer> {
  const found = registry.get(mappingId);
  return found.kind === 'refused' ? found : json(200, mappingConfiguration(found.value, account));
}

async function create({ registry, account }: LambdaApiOptions, body: string): Promise<Result<Answer>> {
  const parsed = parse(body);
  if (parsed.kind === 'refused') return parsed;
  const creation = mappingCreation(parsed.value);
  if (creation.kind === 'refused') return creation;
  const created = await registry.create(creation.value);
  if (created.kind === 'refused') return created;
  const shown = json(202, mappingConfiguration(created.value, account));
  created.value.start();
  return shown;
}

async function update(
  { registry, account }: LambdaApiOptions,
  mappingId: string,
  body: string,
): Promise<Result<Answer>> {
  const parsed = parse(body);
  if (parsed.kind === 'refused') return parsed;
  const change = mappingChange(parsed.value);
  if (change.kind === 'refused') return change;
  const updated = registry.update(mappingId, change.value);
  if (updated.kind === 'refused') return updated;
  const shown = json(202, mappingConfiguration(updated.value, account));
  await registry.save();
  return shown;
}

function remove({ registry, account }: LambdaApiOptions, mappingId: string): Result<Answer> {
  const removed = registry.remove(mappingId, DELETE_GRACE_MS);
  return removed.kind === 'refused' ? removed : json(202, mappingConfiguration(removed.value, account));
}

async function invoke(
  { invoker, events, functions }: LambdaApiOptions,
  name: string,
  request: IncomingMessage,
  payload: string,
): Promise<Result<Answer>> {
  const functionName = functionNameOf(name);
  if (!functions.has(functionName)) return refused(notFound(`Function not found: ${name}`));
  const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
  if (type === 'DryRun') return ok({ status: 204, body: '' });
  const event = payload === '' ? '{}' : payload;
  if (type === 'Event') return accept(events, functionName, event);
  if (type !== 'RequestResponse') {
    return refused(
      invalidParameter(`InvocationType: ${String(type)} is not supported by the local emulator`),
    );
  }
  const signal = new AbortController().signal;
  const outcome = await invoker.invoke(functionName, event, { affinity: 'invoke', signal });
  if (outcome.kind === 'unavailable') return refused(tooManyRequests(`Rate Exceeded. (${outcome.reason})`));
  const failed = outcome.kind === 'function-error' ? { 'x-amz-function-error': 'Unhandled' } : {};
  const headers = { 'x-amz-executed-version': '$LATEST', 'x-amzn-requestid': outcome.requestId, ...failed };
  return ok({ status: 200, headers, body: outcome.payload });
}

/** Accepts an asynchronous invocation, whose payload must be JSON, and answers before it begins. */
function accept(events: EventInvocations, functionName: string, payload: string): Result<Answer> {
  if (Buffer.byteLength(payload) > EVENT_PAYLOAD_BYTES_MAX) return refused(tooLarge(EVENT_PAYLOAD_BYTES_MAX));
  const parsed = parse(payload);
  if (parsed.kind === 'refused') return parsed;
  return events.accept(functionName, payload)
    ? ok({ status: 202, body: '' })
    : refused(tooManyRequests('Rate Exceeded. (too many events wait)'));
}

function parse(body: string): Result<unknown> {
  try {
    const value: unknown = JSON.parse(body === '' ? '{}' : body);
    return ok(value);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return refused({ status: 400, name: 'InvalidRequestContentException', message: `not JSON: ${detail}` });
  }
}

function json(status: number, body: unknown): Result<Answer> {
  return ok({ status, body: JSON.stringify(body) });
}
