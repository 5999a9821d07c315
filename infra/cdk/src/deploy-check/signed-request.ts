import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { request } from 'node:http';
import { SignatureV4 } from '@smithy/signature-v4';

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

export interface SignedRequestOptions {
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const ANSWER_MS_MAX = 30_000;

/**
 * Asks a deployed API over the loopback address, whatever its name resolves to. Signed for IAM where options are given.
 */
export async function askApi(url: URL, options?: SignedRequestOptions): Promise<ApiAnswer> {
  const headers: Record<string, string> = { host: url.host };
  if (options !== undefined) Object.assign(headers, await signature(url, headers, options));
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port: url.port,
        path: `${url.pathname}${url.search}`,
        headers,
        timeout: ANSWER_MS_MAX,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
      },
    );
    asked.on('timeout', () => asked.destroy(new Error(`no answer from ${url} within ${ANSWER_MS_MAX} ms`)));
    asked.on('error', reject);
    asked.end();
  });
}

async function signature(
  url: URL,
  headers: Record<string, string>,
  { region, credentials }: SignedRequestOptions,
): Promise<Record<string, string>> {
  const signer = new SignatureV4({ service: 'execute-api', region, credentials, sha256: Sha256 });
  const signed = await signer.sign({
    method: 'GET',
    protocol: url.protocol,
    hostname: url.hostname,
    port: Number(url.port),
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers,
  });
  return signed.headers;
}

/** Node's SHA-256 as the signer wants it: a digest, or keyed one with a secret. */
class Sha256 {
  readonly #hash: Hash | Hmac;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }
  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest());
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data);
}
