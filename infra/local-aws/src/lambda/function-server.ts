import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { INVOCATION_PAYLOAD_BYTES_MAX } from '@twinstream/pipeline-settings';
import { processExposition } from '@twinstream/telemetry';
import { answer, type LoopbackServer, listenOnLoopback, readBody } from '../http/loopback-server.ts';
import { withMetrics } from '../http/metrics-resource.ts';
import type { Assignment } from './assignment.ts';
import { ContainerHomes } from './container-homes.ts';
import { ContainerPool, type PoolOutcome } from './container-pool.ts';
import { AFFINITY_HEADER } from './http-function-invoker.ts';
import { functionArn, functionNameOf, LOCAL_ACCOUNT } from './lambda-names.ts';

export interface FunctionServerOptions {
  readonly functionName: string;
  /** URL of the module. */
  readonly moduleUrl: string;
  readonly handler: string;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly assignment: Assignment;
  /** 0 takes a free port. */
  readonly port: number;
  readonly onError: (error: unknown) => void;
}

/** Runs invocations in containers of one function. */
interface Containers {
  warm(): Promise<void>;
  invoke(requestId: string, payload: ArrayBuffer, affinity: string): Promise<PoolOutcome>;
  close(): Promise<void>;
}

const PATH = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;
const JSON_TYPE = { 'content-type': 'application/json' };

/**
 * Serves the Invoke operation of one function on 127.0.0.1, and `/metrics` of this process. close() refuses new invocations, finishes those under way
 * and ends the containers. Throws `FUNCTION_BROKEN` or `PORT_TAKEN`.
 */
export async function startFunctionServer(options: FunctionServerOptions): Promise<LoopbackServer> {
  const { functionName, moduleUrl, handler, timeoutMs, concurrency, assignment } = options;
  const arn = functionArn(LOCAL_ACCOUNT, functionName);
  const setup = { functionName, functionArn: arn, moduleUrl, handler };
  const pool: Containers =
    assignment === 'home'
      ? new ContainerHomes({ setup, timeoutMs, containersMax: concurrency })
      : new ContainerPool({ setup, timeoutMs, concurrency, assignment });
  await pool.warm();
  const server = await listenOnLoopback(
    withMetrics(processExposition(functionName, []), (request, response) =>
      serve(request, response, functionName, pool),
    ),
    options.port,
    options.onError,
  ).catch(async (error: unknown) => {
    await pool.close();
    throw error;
  });
  return {
    ...server,
    close: async () => {
      // Both concurrently: answers go out while connections still stand.
      await Promise.all([pool.close(), server.close()]);
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  functionName: string,
  pool: Containers,
): Promise<void> {
  const requestId = randomUUID();
  const body = await readBody(request, INVOCATION_PAYLOAD_BYTES_MAX);
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  const name = PATH.exec(path)?.[1];
  if (
    request.method !== 'POST' ||
    name === undefined ||
    functionNameOf(decodeURIComponent(name)) !== functionName
  ) {
    return refuse(response, 404, 'ResourceNotFoundException', `Function not found: ${path}`);
  }
  if (body === undefined) {
    const message = `Request must be smaller than ${INVOCATION_PAYLOAD_BYTES_MAX} bytes for the InvokeFunction operation`;
    return refuse(response, 413, 'RequestTooLargeException', message);
  }
  const affinity = request.headers[AFFINITY_HEADER];
  const outcome = await pool.invoke(requestId, ownBuffer(body), typeof affinity === 'string' ? affinity : '');
  if (outcome === undefined) return refuse(response, 429, 'TooManyRequestsException', 'Rate Exceeded.');
  const headers = { ...JSON_TYPE, 'x-amzn-requestid': requestId, 'x-amz-executed-version': '$LATEST' };
  if (outcome.kind === 'answered') return answer(response, 200, headers, outcome.payload);
  const failed = { ...headers, 'x-amz-function-error': 'Unhandled' };
  return answer(response, 200, failed, JSON.stringify(outcome.error));
}

/** The bytes in a buffer that may be moved to another thread: small ones share a pool and are copied. */
function ownBuffer(body: Buffer): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = body;
  if (buffer instanceof ArrayBuffer && byteOffset === 0 && buffer.byteLength === byteLength) return buffer;
  const copy = new ArrayBuffer(byteLength);
  new Uint8Array(copy).set(body);
  return copy;
}

function refuse(response: ServerResponse, status: number, name: string, message: string): void {
  const body = JSON.stringify({ Type: 'User', Message: message, message });
  answer(response, status, { ...JSON_TYPE, 'x-amzn-errortype': name }, body);
}
