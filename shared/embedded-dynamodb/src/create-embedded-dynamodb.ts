/// <reference path="./dynalite.d.ts" />

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import dynalite, { type DynaliteOptions } from 'dynalite';
import {
  type BatchExecutor,
  type BatchStatement,
  batchExecutor,
  InvalidBatch,
} from './batch-execute-statement.ts';
import { type DynaliteError, type DynaliteStore, withStore } from './dynalite-store.ts';
import { whyUnserved } from './unserved-operations.ts';
import { changesIndexes, InvalidUpdate, type UpdateTableInput, updateIndexes } from './update-indexes.ts';

export type EmbeddedDynamoDbOptions = DynaliteOptions;

const UNKNOWN_OPERATION = 'com.amazon.coral.service#UnknownOperationException';
/** Of a request ("Quotas in Amazon DynamoDB", read 2026-11: 16 MB for batch operations). */
const REQUEST_BYTES_MAX = 16 * 1024 * 1024;
const TARGET_PREFIX = 'DynamoDB_20120810.';
const VALIDATION_EXCEPTION = 'com.amazon.coral.validate#ValidationException';
const SERIALIZATION_EXCEPTION = 'com.amazon.coral.service#SerializationException';
const INTERNAL_ERROR = 'com.amazonaws.dynamodb.v20120810#InternalServerError';

/**
 * A DynamoDB engine that needs Node alone: dynalite, and in front of its handler `BatchExecuteStatement` for the
 * statements that this project's stores send, and `UpdateTable` for indexes. The server does not listen yet. Other operations
 * are dynalite's own; one that it does not know is refused with words.
 */
export function createEmbeddedDynamoDb(options: EmbeddedDynamoDbOptions = {}): Server {
  const { server, store } = withStore(() => dynalite(options));
  const executor = batchExecutor(store);
  const others = server.listeners('request') as ((
    request: IncomingMessage,
    response: ServerResponse,
  ) => void)[];
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const target = request.headers['x-amz-target'];
    const operation = typeof target === 'string' ? target.slice(TARGET_PREFIX.length) : '';
    const passOn = (received: IncomingMessage) => {
      for (const serve of others) serve.call(server, received, response);
    };
    const own = OPERATIONS[operation];
    const unserved = target?.toString().startsWith(TARGET_PREFIX) ? whyUnserved(operation) : undefined;
    if (unserved !== undefined) refuse(response, 400, UNKNOWN_OPERATION, unserved);
    else if (own === undefined) passOn(request);
    else void serveOwn(own, { executor, store, passOn }, request, response);
  });
  return server;
}

interface Front {
  readonly executor: BatchExecutor;
  readonly store: DynaliteStore;
  /** Lets dynalite serve a request. */
  readonly passOn: (request: IncomingMessage) => void;
}

/** Serves a request by its body: resolves with the answer, or with undefined where dynalite shall serve it. */
type Operation = (body: string, front: Front) => Promise<object | undefined>;

/** A body that is none. */
class Unreadable extends Error {}

/** What is served in front of dynalite. */
const OPERATIONS: Readonly<Record<string, Operation | undefined>> = {
  BatchExecuteStatement: async (body, { executor }) => {
    const statements = statementsOf(body);
    if (typeof statements === 'string') throw new Unreadable(statements);
    return { Responses: await executor.execute(statements) };
  },
  UpdateTable: async (body, { store }) => {
    const input = updateOf(body);
    if (input === undefined || !changesIndexes(input)) return undefined;
    return { TableDescription: await updateIndexes(store, input) };
  },
};

async function serveOwn(
  operation: Operation,
  front: Front,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const body = await bodyOf(request);
    if (body === undefined) {
      response.writeHead(413).end();
      return;
    }
    const document = await operation(body, front);
    if (document === undefined) front.passOn(withBody(request, body));
    else answer(response, 200, document);
  } catch (error) {
    if (request.destroyed && !request.complete) return;
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof Unreadable) return refuse(response, 400, SERIALIZATION_EXCEPTION, message);
    if (error instanceof InvalidBatch || error instanceof InvalidUpdate) {
      return refuse(response, 400, VALIDATION_EXCEPTION, message);
    }
    const own = (error as DynaliteError | undefined)?.body;
    if (own !== undefined) return answer(response, 400, own);
    refuse(response, 500, INTERNAL_ERROR, message);
  }
}

/** The same request with a body that has been read already. */
function withBody({ method, url, headers }: IncomingMessage, body: string): IncomingMessage {
  return Object.assign(Readable.from([Buffer.from(body)]), {
    method,
    url,
    headers,
  }) as unknown as IncomingMessage;
}

/** Undefined for a body that dynalite shall judge. */
function updateOf(body: string): UpdateTableInput | undefined {
  try {
    const input: unknown = JSON.parse(body);
    return typeof input === 'object' && input !== null ? { ...input } : undefined;
  } catch {
    return undefined;
  }
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > REQUEST_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The statements of a request, or why its body cannot be read. */
function statementsOf(body: string): readonly BatchStatement[] | string {
  let input: unknown;
  try {
    input = JSON.parse(body);
  } catch {
    return 'the body is not JSON';
  }
  const { Statements } = (input ?? {}) as { Statements?: unknown };
  if (!Array.isArray(Statements)) return 'Statements must be a list';
  return Statements.every(isStatement) ? Statements : 'each statement has a text and a list of parameters';
}

function isStatement(value: unknown): value is BatchStatement {
  const { Statement, Parameters } = (value ?? {}) as Record<string, unknown>;
  return typeof Statement === 'string' && (Parameters === undefined || isListOfObjects(Parameters));
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.every((member) => typeof member === 'object' && member !== null);
}

function refuse(response: ServerResponse, status: number, type: string, message: string): void {
  answer(response, status, { __type: type, message });
}

function answer(response: ServerResponse, status: number, document: object): void {
  const body = JSON.stringify(document);
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': Buffer.byteLength(body),
    'x-amzn-requestid': randomUUID(),
    'x-amz-crc32': String(crc32(body)),
  });
  response.end(body);
}
