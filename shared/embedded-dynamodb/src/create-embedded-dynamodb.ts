/// <reference path="./dynalite.d.ts" />

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { crc32 } from 'node:zlib';
import dynalite, { type DynaliteOptions } from 'dynalite';
import {
  type BatchExecutor,
  type BatchStatement,
  batchExecutor,
  InvalidBatch,
} from './batch-execute-statement.ts';
import { withStore } from './dynalite-store.ts';

export type EmbeddedDynamoDbOptions = DynaliteOptions;

/** Of a request ("Quotas in Amazon DynamoDB", read 2026-11: 16 MB for batch operations). */
const REQUEST_BYTES_MAX = 16 * 1024 * 1024;
const BATCH_TARGET = 'DynamoDB_20120810.BatchExecuteStatement';
const VALIDATION_EXCEPTION = 'com.amazon.coral.validate#ValidationException';
const SERIALIZATION_EXCEPTION = 'com.amazon.coral.service#SerializationException';
const INTERNAL_ERROR = 'com.amazonaws.dynamodb.v20120810#InternalServerError';

/**
 * A DynamoDB engine that needs Node alone: dynalite, and in front of its handler `BatchExecuteStatement` for the
 * statements that this project's stores send. The server does not listen yet. Other operations are dynalite's own.
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
    if (request.headers['x-amz-target'] === BATCH_TARGET) {
      void serveBatch(executor, request, response);
    } else {
      for (const serve of others) serve.call(server, request, response);
    }
  });
  return server;
}

async function serveBatch(
  executor: BatchExecutor,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const body = await bodyOf(request);
    if (body === undefined) {
      response.writeHead(413).end();
      return;
    }
    const statements = statementsOf(body);
    if (typeof statements === 'string') return refuse(response, 400, SERIALIZATION_EXCEPTION, statements);
    answer(response, 200, { Responses: await executor.execute(statements) });
  } catch (error) {
    if (request.destroyed && !request.complete) return;
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof InvalidBatch) return refuse(response, 400, VALIDATION_EXCEPTION, message);
    refuse(response, 500, INTERNAL_ERROR, message);
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
