import {
  Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Clock, type Logger, systemClock } from '@twinstream/runtime';
import {
  answer,
  type LoopbackServer,
  listenOnLoopback,
  type RequestHandler,
  readBody,
} from '../http/loopback-server.ts';
import type { FaultInjector, FaultService, RequestFaults } from './fault-rule.ts';

/** An answer in a service's own form. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Properties of the proxied service. */
export interface FaultDialect {
  readonly service: FaultService;
  /** API operation of a request, such as `PutItem`. */
  operation(request: IncomingMessage): string;
  refuse(refusal: 'throttle' | 'error', operation: string): Refusal;
  /**
   * Takes entries out of a batch for which `fails`, drawn once for each in their order, is true. Undefined where none fails or
   * the operation has no entries that can fail by themselves.
   */
  readonly takeOut?: (operation: string, body: Buffer, fails: () => boolean) => TakenOut | undefined;
}

/** A batch without the entries that are to fail. */
export interface TakenOut {
  /** What the engine is sent; undefined where no entry is left. */
  readonly body: Buffer | undefined;
  /** The answer to the whole batch, by the engine's answer to what it was sent. */
  answer(engineBody: Buffer | undefined): Refusal;
}

export interface FaultProxyOptions {
  readonly dialect: FaultDialect;
  /** Address of the proxied engine, `http://127.0.0.1:4567`. */
  readonly upstreamUrl: string;
  readonly injector: FaultInjector;
  /** Serves what no fault concerns, where that is nearer than the engine's address. */
  readonly serve?: RequestHandler;
  /** A path that is none of the engine's. */
  readonly beside?: { readonly path: string; readonly serve: RequestHandler };
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly logger: Logger;
  readonly clock?: Clock;
}

/** Connections to the engine; a request beyond them waits for one. */
const UPSTREAM_SOCKETS_MAX = 512;
/** Longest body of a request that a fault concerns. DynamoDB takes 16 MiB; S3 bodies of this project stay below. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;
/** Headers that belong to one connection (RFC 9110, 7.6.1) or that the proxy has already answered. */
const HOP_HEADERS = new Set(['connection', 'keep-alive', 'transfer-encoding', 'expect', 'proxy-connection']);

/**
 * An HTTP proxy on loopback that lets requests through unchanged and injects faults into those that the injector
 * chooses. A request under `delay` or `lost-answer` reaches the engine even if its client has hung up meanwhile: it
 * lands late, as on a real network. When the engine cannot be reached, the client's connection is cut.
 */
export async function startFaultProxy(options: FaultProxyOptions): Promise<LoopbackServer> {
  const { dialect, injector, beside, clock = systemClock, logger } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: UPSTREAM_SOCKETS_MAX });
  const upstream = new Upstream(new URL(options.upstreamUrl), agent);
  const serve: RequestHandler =
    options.serve ?? ((request, response) => passThrough(upstream, request, response));

  const server = await listenOnLoopback(
    async (request, response) => {
      if (beside !== undefined && request.url === beside.path) return beside.serve(request, response);
      const operation = dialect.operation(request);
      const faults = injector.decide(dialect.service, operation);
      if (faults === undefined) return serve(request, response);
      return passFaulty(upstream, request, response, { dialect, operation, faults, clock });
    },
    options.port ?? 0,
    (error) => logger.warn({ error, service: dialect.service }, 'fault proxy cut a connection'),
  );
  return {
    ...server,
    close: async () => {
      await server.close();
      agent.destroy();
    },
  };
}

/** Where requests go. */
class Upstream {
  readonly #hostname: string;
  readonly #port: string;
  readonly #agent: Agent;

  constructor(url: URL, agent: Agent) {
    this.#hostname = url.hostname;
    this.#port = url.port;
    this.#agent = agent;
  }

  /** Begins the same request at the engine. */
  open(request: IncomingMessage, headers: OutgoingHttpHeaders = {}): ClientRequest {
    return httpRequest({
      hostname: this.#hostname,
      port: this.#port,
      agent: this.#agent,
      method: request.method,
      path: request.url,
      headers: { ...endToEnd(request.headers), ...headers },
    });
  }
}

/** Resolves with the answer's head; rejects when there is none. */
function answered(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
}

/** The usual path, without delays. */
function passThrough(upstream: Upstream, request: IncomingMessage, response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const forwarded = upstream.open(request);
    forwarded.once('error', reject);
    forwarded.once('response', (reply) => {
      response.writeHead(reply.statusCode ?? 502, endToEnd(reply.headers));
      reply.once('error', reject);
      flow(reply, response);
    });
    response.once('close', () => {
      if (!request.complete) forwarded.destroy();
      resolve();
    });
    flow(request, forwarded);
  });
}

/** Passes bytes on as they come. `stream.pipeline` does the same for three times the CPU of the whole request. */
function flow(from: Readable, to: Writable): void {
  from.on('data', (chunk: Buffer) => {
    if (to.write(chunk)) return;
    from.pause();
    to.once('drain', () => from.resume());
  });
  from.once('end', () => to.end());
}

interface FaultyRequest {
  readonly dialect: FaultDialect;
  readonly operation: string;
  readonly faults: RequestFaults;
  readonly clock: Clock;
}

async function passFaulty(
  upstream: Upstream,
  request: IncomingMessage,
  response: ServerResponse,
  { dialect, operation, faults, clock }: FaultyRequest,
): Promise<void> {
  const body = await readBody(request, BODY_BYTES_MAX);
  if (body === undefined) throw new RangeError(`request body is longer than ${BODY_BYTES_MAX} bytes`);
  if (faults.delayMs > 0) await clock.sleep(faults.delayMs);
  if (faults.refusal !== undefined) {
    const refusal = dialect.refuse(faults.refusal, operation);
    answer(response, refusal.status, refusal.headers, refusal.body);
    return;
  }
  const takenOut = faults.recordFails && dialect.takeOut?.(operation, body, faults.recordFails);
  if (takenOut !== undefined && takenOut.body === undefined) {
    const whole = takenOut.answer(undefined);
    if (faults.answerLost) response.destroy();
    else answer(response, whole.status, whole.headers, whole.body);
    return;
  }
  const sent = takenOut?.body ?? body;
  const forwarded = upstream.open(request, { 'content-length': String(sent.length) });
  const head = answered(forwarded);
  forwarded.end(sent);
  const reply = await head;
  if (faults.answerLost) {
    reply.resume();
    await new Promise((resolve) => reply.once('close', resolve));
    response.destroy();
    return;
  }
  if (response.destroyed) {
    reply.resume();
    return;
  }
  if (takenOut !== undefined && reply.statusCode === 200) {
    const whole = takenOut.answer(Buffer.concat(await Array.fromAsync(reply)));
    answer(response, whole.status, whole.headers, whole.body);
    return;
  }
  response.writeHead(reply.statusCode ?? 502, endToEnd(reply.headers));
  await pipeline(reply, response);
}

function endToEnd(headers: IncomingMessage['headers']): OutgoingHttpHeaders {
  const kept: OutgoingHttpHeaders = {};
  for (const name in headers) {
    if (!HOP_HEADERS.has(name)) kept[name] = headers[name];
  }
  return kept;
}
