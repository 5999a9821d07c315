import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { type HttpRequest, HttpResponse } from '@smithy/core/protocols';
import type { NodeHttpHandler } from '@smithy/node-http-handler';

export interface KeepAliveHandlerOptions {
  /** Until a new connection stands, in milliseconds. */
  readonly connectionTimeoutMs: number;
  /** Without a byte on the connection, in milliseconds. */
  readonly requestTimeoutMs: number;
  readonly socketsMax: number;
}

type SendOptions = NonNullable<Parameters<NodeHttpHandler['handle']>[1]>;

/** The SDK tries again after an error of this name. */
function timedOut(what: string, ms: number): Error {
  return Object.assign(new Error(`${what} within ${ms} ms`), { name: 'TimeoutError' });
}

/**
 * Sends the SDK's requests whose bodies are text or bytes, and reads their answers whole. It keeps connections, ends a
 * request at its time limits or when it is aborted, and does nothing else: the SDK's own handler is made for streams as well.
 */
export class KeepAliveHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #options: KeepAliveHandlerOptions;
  readonly #http: Agent;
  readonly #https: HttpsAgent;

  constructor(options: KeepAliveHandlerOptions) {
    this.#options = options;
    const agentOptions = { keepAlive: true, maxSockets: options.socketsMax };
    this.#http = new Agent(agentOptions);
    this.#https = new HttpsAgent(agentOptions);
  }

  /** Rejects with an `AbortError`, with a `TimeoutError`, or with what the connection failed of. */
  handle(
    { protocol, hostname, port, method, path, headers, body }: HttpRequest,
    { abortSignal, requestTimeout = this.#options.requestTimeoutMs }: SendOptions = {},
  ): Promise<{ response: HttpResponse }> {
    const { connectionTimeoutMs } = this.#options;
    const isSecure = protocol === 'https:';
    const address = { host: hostname, ...(port === undefined ? {} : { port }), method, path, headers };
    return new Promise((resolve, reject) => {
      const signal = abortSignal instanceof AbortSignal ? abortSignal : undefined;
      if (abortSignal?.aborted) {
        reject(abortError(signal));
        return;
      }
      const sent = isSecure
        ? httpsRequest({ ...address, agent: this.#https, timeout: requestTimeout })
        : httpRequest({ ...address, agent: this.#http, timeout: requestTimeout });
      const onAbort = () => sent.destroy(abortError(signal));
      signal?.addEventListener('abort', onAbort);
      let connecting: NodeJS.Timeout | undefined;
      sent.once('socket', (socket) => {
        if (!socket.connecting) return;
        const late = () => sent.destroy(timedOut('no connection', connectionTimeoutMs));
        connecting = setTimeout(late, connectionTimeoutMs);
        socket.once(isSecure ? 'secureConnect' : 'connect', () => clearTimeout(connecting));
      });
      sent.once('timeout', () => sent.destroy(timedOut('no answer', requestTimeout)));
      sent.once('error', reject);
      sent.once('close', () => {
        clearTimeout(connecting);
        signal?.removeEventListener('abort', onAbort);
      });
      sent.once('response', (answer) => {
        readWhole(answer, (bytes) => resolve({ response: responseOf(answer, bytes) }), reject);
      });
      sent.end(body);
    });
  }

  updateHttpClientConfig(): void {
    throw new Error('its settings are those it was made with');
  }

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  destroy(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

function readWhole(
  answer: IncomingMessage,
  done: (bytes: Uint8Array) => void,
  failed: (error: Error) => void,
): void {
  const chunks: Buffer[] = [];
  answer.on('data', (chunk: Buffer) => chunks.push(chunk));
  answer.once('error', failed);
  answer.once('end', () => {
    const [only] = chunks;
    done(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
  });
}

function responseOf(answer: IncomingMessage, body: Uint8Array): HttpResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return new HttpResponse({ statusCode: answer.statusCode ?? 0, headers, body });
}

/** As the SDK's own handler has it: the name, and the reason behind it. */
function abortError(signal: AbortSignal | undefined): Error {
  return Object.assign(new Error('Request aborted', { cause: signal?.reason }), { name: 'AbortError' });
}
