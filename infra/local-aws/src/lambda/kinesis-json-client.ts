import { Agent, request as httpRequest } from 'node:http';
import { CodedError } from '@twinstream/runtime';
import type { ExchangeHandler } from '../kinesis/exchange-listener.ts';

/** Longest wait for an answer; a GetRecords of 10 MB takes well under a second here. */
const REQUEST_TIMEOUT_MS = 10_000;
const SOCKETS_MAX = 64;

/** The error that a Kinesis operation answered, as `name` and `message`. */
export class KinesisRefusal extends CodedError {
  /** `ProvisionedThroughputExceededException`, `ExpiredIteratorException`, … */
  readonly errorName: string;

  constructor(operation: string, errorName: string, message: string) {
    super('KINESIS_REFUSED', `${operation}: ${errorName}: ${message}`, {
      retryable: errorName === 'ProvisionedThroughputExceededException',
    });
    this.errorName = errorName;
  }
}

/** Calls Kinesis operations in JSON. */
export interface KinesisJsonClient {
  /** The parsed answer. Throws {@link KinesisRefusal}, or `KINESIS_UNREACHABLE` when there is no answer. */
  call(operation: string, input: unknown): Promise<unknown>;
  close(): void;
}

/** Takes a request to a Kinesis server. Throws `KINESIS_UNREACHABLE` when there is no answer. */
export interface KinesisTransport {
  post(
    headers: Readonly<Record<string, string>>,
    body: string,
  ): Promise<{ readonly status: number; readonly body: string }>;
  close(): void;
}

/**
 * A client that leaves record data as the base64 text it arrives in, where the SDK decodes every record into bytes, which
 * the event would need encoded again: for 10,000 records of 200 bytes that was most of the mapping's time. It signs
 * nothing, as the emulator checks nothing; the header is there for servers that want one.
 */
export function kinesisJsonClient(transport: KinesisTransport, region: string): KinesisJsonClient {
  const authorization =
    `AWS4-HMAC-SHA256 Credential=local/20260101/${region}/kinesis/aws4_request, ` +
    'SignedHeaders=host;x-amz-date;x-amz-target, Signature=local';
  return {
    call: async (operation, input) => {
      const headers = {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `Kinesis_20131202.${operation}`,
        'x-amz-date': '20260101T000000Z',
        authorization,
      };
      const { status, body } = await transport.post(headers, JSON.stringify(input));
      const answer: unknown = body === '' ? {} : JSON.parse(body);
      if (status === 200) return answer;
      const { name, message } = refusalOf(answer, status);
      throw new KinesisRefusal(operation, name, message);
    },
    close: () => transport.close(),
  };
}

/** Over HTTP. */
export function httpTransport(url: string): KinesisTransport {
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX });
  return {
    post: (headers, body) => post({ hostname, port, agent, headers }, body),
    close: () => agent.destroy(),
  };
}

/** Within this process: every request is served as over the wire, limits and faults included, but its bytes take no wire. */
export function directTransport(exchange: ExchangeHandler): KinesisTransport {
  return {
    post: async (headers, body) => {
      const header = (name: string) => headers[name];
      const answer = await exchange({ method: 'POST', path: '/', header, body: Buffer.from(body) });
      if (answer === undefined) throw unreachable('the Kinesis of this process', undefined);
      return { status: answer.status, body: answer.body.toString('utf8') };
    },
    close: () => undefined,
  };
}

function unreachable(where: string, cause: unknown): CodedError {
  return new CodedError('KINESIS_UNREACHABLE', `no answer from ${where}`, { retryable: true, cause });
}

interface Target {
  readonly hostname: string;
  readonly port: string;
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string>>;
}

function post(target: Target, body: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const broken = (cause: unknown) => reject(unreachable(`${target.hostname}:${target.port}`, cause));
    const request = httpRequest({ ...target, method: 'POST', path: '/' }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', broken);
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    request.setTimeout(REQUEST_TIMEOUT_MS, () => request.destroy(new Error('timed out')));
    request.once('error', broken);
    request.end(body);
  });
}

function refusalOf(answer: unknown, status: number): { name: string; message: string } {
  const fields: Record<string, unknown> = typeof answer === 'object' && answer !== null ? { ...answer } : {};
  const type = typeof fields.__type === 'string' ? fields.__type : `HTTP ${status}`;
  const message = fields.message ?? fields.Message;
  // `__type` may carry a namespace: com.amazonaws.kinesis.v20131202#ResourceNotFoundException.
  return { name: type.slice(type.indexOf('#') + 1), message: typeof message === 'string' ? message : '' };
}
