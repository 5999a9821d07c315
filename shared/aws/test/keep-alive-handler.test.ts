import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpRequest } from '@smithy/core/protocols';
import { afterEach, expect, test } from 'vitest';
import { KeepAliveHandler } from '../src/dynamodb/keep-alive-handler.ts';

const handler = new KeepAliveHandler({ connectionTimeoutMs: 500, requestTimeoutMs: 200, socketsMax: 4 });
let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
  server = undefined;
});

async function serve(answer: RequestListener): Promise<number> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const post = (port: number, body: string | Uint8Array) =>
  new HttpRequest({
    protocol: 'http:',
    hostname: '127.0.0.1',
    port,
    method: 'POST',
    path: '/base',
    headers: { 'content-length': String(Buffer.byteLength(body)), 'x-amz-target': 'DynamoDB.PutItem' },
    body,
  });

test('sends a body and reads the answer whole, over connections that it keeps', async () => {
  const ports = new Set<number | undefined>();
  const port = await serve(async (request, response) => {
    ports.add(request.socket.remotePort);
    const text = Buffer.concat(await Array.fromAsync(request)).toString();
    response.writeHead(201, { 'x-amzn-requestid': 'id', 'set-cookie': ['a', 'b'] });
    response.write(`${request.method} ${request.url} ${request.headers['x-amz-target']} `);
    setImmediate(() => response.end(text));
  });
  const large = 'é'.repeat(500_000);
  for (const body of ['one', large, Buffer.from('bytes')]) {
    const { response } = await handler.handle(post(port, body));
    expect(response.statusCode).toBe(201);
    expect(response.headers).toMatchObject({ 'x-amzn-requestid': 'id', 'set-cookie': 'a, b' });
    expect(Buffer.from(response.body).toString()).toBe(`POST /base DynamoDB.PutItem ${body}`);
  }
  expect(ports.size).toBe(1);
});

test('gives an answer without a body', async () => {
  const port = await serve((_, response) => response.writeHead(204).end());
  const { response } = await handler.handle(post(port, '{}'));
  expect([response.statusCode, response.body.length]).toEqual([204, 0]);
});

test('ends a request without an answer at its limit, by the name that the SDK tries again', async () => {
  const port = await serve(() => undefined);
  await expect(handler.handle(post(port, '{}'))).rejects.toMatchObject({ name: 'TimeoutError' });
  const startMs = performance.now();
  const hasty = handler.handle(post(port, '{}'), { requestTimeout: 20 });
  await expect(hasty).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(performance.now() - startMs).toBeLessThan(190);
});

test('ends with an abort, before and during a request, and says why', async () => {
  const asked = Promise.withResolvers<void>();
  const port = await serve(() => asked.resolve());
  const abort = new AbortController();
  const answer = handler.handle(post(port, '{}'), { abortSignal: abort.signal });
  const ended = expect(answer).rejects.toMatchObject({ name: 'AbortError', cause: { message: 'enough' } });
  await asked.promise;
  abort.abort(new Error('enough'));
  await ended;
  await expect(handler.handle(post(port, '{}'), { abortSignal: abort.signal })).rejects.toMatchObject({
    name: 'AbortError',
  });
});

test('tells what the connection failed of', async () => {
  const port = await serve((request) => request.socket.destroy());
  await expect(handler.handle(post(port, '{}'))).rejects.toMatchObject({ code: 'ECONNRESET' });
  await new Promise((resolve) => server?.close(resolve));
  await expect(handler.handle(post(port, '{}'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('breaks off where the answer does', async () => {
  const port = await serve((_, response) => {
    response.writeHead(200, { 'content-length': '10' });
    response.write('half', () => response.destroy());
  });
  await expect(handler.handle(post(port, '{}'))).rejects.toMatchObject({ code: 'ECONNRESET' });
});
