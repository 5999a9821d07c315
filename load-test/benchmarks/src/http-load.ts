import { connect, type Socket } from 'node:net';

/** What a stretch of requests came to. */
export interface HttpLoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Answers with another status than 200. */
  readonly failures: number;
  /** Time from sending a request to its whole answer, in milliseconds. */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

export interface HttpLoadOptions {
  readonly url: string;
  /** Path of the n-th request. */
  readonly path: (n: number) => string;
  /** Each has one request on its way, on one connection that is kept. */
  readonly connections: number;
  readonly durationMs: number;
  /** Requests a second, spread evenly over the connections; as many as are answered where absent. */
  readonly rate?: number;
}

/**
 * Asks an HTTP server as fast as it answers, or at a rate. It works on sockets and takes only what it must from an answer
 * (its status, its length), because it shares the machine with what it measures.
 */
export async function httpLoad(options: HttpLoadOptions): Promise<HttpLoadResult> {
  const { hostname, port } = new URL(options.url);
  const latencies: number[] = [];
  const counters = { next: 0, failures: 0 };
  const startedAt = performance.now();
  const endsAt = startedAt + options.durationMs;
  await Promise.all(
    Array.from({ length: options.connections }, async (_, index) => {
      const connection = await open(hostname, Number(port));
      try {
        const everyMs = options.rate === undefined ? 0 : (1_000 * options.connections) / options.rate;
        let dueAt = startedAt + (everyMs * index) / options.connections;
        while (performance.now() < endsAt) {
          if (everyMs > 0) {
            await pause(dueAt - performance.now());
            dueAt += everyMs;
          }
          const sentAt = performance.now();
          const status = await connection.ask(options.path(counters.next++));
          latencies.push(performance.now() - sentAt);
          if (status !== 200) counters.failures += 1;
        }
      } finally {
        connection.close();
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))] ?? 0;
  return {
    requests: latencies.length,
    seconds,
    failures: counters.failures,
    latencyMs: { p50: quantile(0.5), p99: quantile(0.99), max: latencies.at(-1) ?? 0 },
  };
}

function pause(ms: number): Promise<void> | void {
  if (ms > 1) return new Promise((resolve) => setTimeout(resolve, ms));
}

interface Connection {
  /** Sends one GET and resolves to the status once the whole answer is there. */
  ask(path: string): Promise<number>;
  close(): void;
}

function open(host: string, port: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host, port, noDelay: true });
    let received = '';
    let answer:
      | { readonly resolve: (status: number) => void; readonly reject: (error: Error) => void }
      | undefined;
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      received += chunk;
      const status = readAnswer(received);
      if (status === undefined) return;
      received = '';
      answer?.resolve(status);
    });
    socket.on('error', (error) => {
      reject(error);
      answer?.reject(error);
    });
    socket.on('close', () => answer?.reject(new Error('the server closed a connection')));
    socket.on('connect', () =>
      resolve({
        ask: (path) =>
          new Promise((resolveAnswer, rejectAnswer) => {
            answer = { resolve: resolveAnswer, reject: rejectAnswer };
            socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
          }),
        close: () => socket.destroy(),
      }),
    );
  });
}

const CONTENT_LENGTH = /\r\ncontent-length: (\d+)\r\n/i;

/** Status of an answer that is whole, or undefined. The server names a length in every answer that is asked for here. */
function readAnswer(received: string): number | undefined {
  const head = received.indexOf('\r\n\r\n');
  if (head < 0) return undefined;
  const length = CONTENT_LENGTH.exec(received.slice(0, head + 2))?.[1];
  if (length === undefined) throw new Error('an answer without a length');
  return received.length >= head + 4 + Number(length) ? Number(received.slice(9, 12)) : undefined;
}
