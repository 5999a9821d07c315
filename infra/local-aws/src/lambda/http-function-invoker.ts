import { randomUUID } from 'node:crypto';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import type { FunctionInvoker, InvokeOutcome } from './function-invoker.ts';

/** Above the 15 minutes a function may take ("Lambda quotas", developer guide, read 2026-11): its host ends it first. */
const ANSWER_TIMEOUT_MS = 16 * 60_000;
const SOCKETS_MAX = 256;

/** A name that a host prefers the same container for; AWS has nothing like it. */
export const AFFINITY_HEADER = 'x-local-affinity';

/** Invokes functions at their hosts, whose addresses may change while this runs. */
export interface HttpFunctionInvoker extends FunctionInvoker {
  close(): void;
}

/** @param address where a function's host listens now, undefined while there is none */
export function httpFunctionInvoker(
  address: (functionName: string) => string | undefined,
): HttpFunctionInvoker {
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX });
  return {
    invoke: (functionName, payload, { affinity, signal }) => {
      const url = address(functionName);
      if (url === undefined) {
        return Promise.resolve({ kind: 'unavailable', reason: `${functionName} has no host` });
      }
      return post({ url, functionName, agent, affinity, signal }, payload);
    },
    close: () => agent.destroy(),
  };
}

interface Target {
  readonly url: string;
  readonly functionName: string;
  readonly agent: Agent;
  readonly affinity: string;
  readonly signal: AbortSignal;
}

function post(target: Target, payload: string): Promise<InvokeOutcome> {
  const { hostname, port } = new URL(target.url);
  const path = `/2015-03-31/functions/${encodeURIComponent(target.functionName)}/invocations`;
  return new Promise((settle) => {
    let connected = false;
    const request = httpRequest({
      hostname,
      port,
      path,
      method: 'POST',
      agent: target.agent,
      signal: target.signal,
      headers: { 'content-type': 'application/json', [AFFINITY_HEADER]: target.affinity },
    });
    const timeout = setTimeout(() => request.destroy(new Error('no answer')), ANSWER_TIMEOUT_MS);
    const resolve = (outcome: InvokeOutcome) => {
      clearTimeout(timeout);
      settle(outcome);
    };
    request.once('socket', (socket) => {
      connected = !socket.connecting;
      // A kept socket is connected already, and would gather listeners.
      if (connected) return;
      socket.once('connect', () => {
        connected = true;
      });
    });
    // Before the connection stands, nothing can have run; afterwards the function may have, in part or whole.
    request.once('error', (error) => resolve(connected ? hostDied(error) : unavailable(error.message)));
    request.once('response', (response) => {
      readAnswer(response).then(resolve, (error: unknown) => resolve(hostDied(error)));
    });
    request.end(bytesOf(payload));
  });
}

/** Events are nearly always plain characters, which are copied many times faster than they are encoded. */
function bytesOf(payload: string): Buffer {
  return Buffer.from(payload, Buffer.byteLength(payload) === payload.length ? 'latin1' : 'utf8');
}

function unavailable(reason: string): InvokeOutcome {
  return { kind: 'unavailable', reason };
}

/** In the words of Lambda when the process of a function ends during an invocation. */
function hostDied(error: unknown): InvokeOutcome {
  const requestId = randomUUID();
  const detail = error instanceof Error ? error.message : String(error);
  const payload = JSON.stringify({
    errorType: 'Runtime.ExitError',
    errorMessage: `RequestId: ${requestId} Error: Runtime exited without providing a reason (${detail})`,
  });
  return { kind: 'function-error', requestId, payload };
}

async function readAnswer(response: IncomingMessage): Promise<InvokeOutcome> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const payload = Buffer.concat(chunks).toString('utf8');
  const header = response.headers['x-amzn-requestid'];
  const requestId = typeof header === 'string' ? header : randomUUID();
  const status = response.statusCode ?? 0;
  // Payload too large for the function's host: the batch is at fault, and waiting will not help it.
  if (status === 413) return { kind: 'function-error', requestId, payload };
  if (status !== 200) return unavailable(`HTTP ${status}: ${payload.slice(0, 200)}`);
  const failed = response.headers['x-amz-function-error'] !== undefined;
  return failed ? { kind: 'function-error', requestId, payload } : { kind: 'answered', requestId, payload };
}
