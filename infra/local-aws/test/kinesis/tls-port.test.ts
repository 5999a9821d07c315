import { connect } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { KinesisClient, ListStreamsCommand } from '@aws-sdk/client-kinesis';
import { NodeHttp2Handler } from '@smithy/node-http-handler';
import { describe, expect, it } from 'vitest';
import { startServer } from './embedded-server.ts';

describe('the TLS port', () => {
  it('serves HTTP/2 and HTTP/1.1 to clients that trust its authority, beside the port without TLS', async () => {
    const server = await startServer({ tlsPort: 0 });
    const { url, ca } = server.tls ?? { url: '', ca: '' };
    const session = connect(url, { ca });
    const stream = session.request({ ':method': 'GET', ':path': '/' });
    const status = await new Promise((resolve) => {
      stream.once('response', (headers) => resolve(headers[':status']));
    });
    expect(status).toBe(400);
    expect(session.alpnProtocol).toBe('h2');
    session.destroy();
    const answered = await new Promise<{ status: number | undefined; version: string }>((resolve, reject) => {
      const request = httpsRequest(url, { ca, method: 'POST', agent: false }, (response) => {
        response.resume();
        resolve({ status: response.statusCode, version: response.httpVersion });
      });
      request.once('error', reject);
      request.end('{}');
    });
    expect(answered).toEqual({ status: 400, version: '1.1' });
    expect((await fetch(server.url)).status).toBe(400);
  });

  it('is refused by a client that does not trust its authority', async () => {
    const server = await startServer({ tlsPort: 0 });
    const client = new KinesisClient({
      endpoint: server.tls?.url ?? '',
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
      requestHandler: new NodeHttp2Handler({ requestTimeout: 5_000 }),
    });
    await expect(client.send(new ListStreamsCommand({}))).rejects.toThrow(/certificate/);
    client.destroy();
  });

  it('is another at each start', async () => {
    const [one, other] = [await startServer({ tlsPort: 0 }), await startServer({ tlsPort: 0 })];
    expect(one.tls?.ca).toMatch(/^-----BEGIN CERTIFICATE-----/);
    expect(one.tls?.ca).not.toBe(other.tls?.ca);
  });
});
