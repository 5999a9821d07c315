import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the stub answers to one request. `hang` never answers. */
export type StubAnswer = { readonly status: number; readonly body: object } | 'hang';

export interface FirehoseStub {
  readonly endpoint: string;
  /** Decides the answer to the records of a request; by default all are taken. */
  answer: (records: readonly Buffer[]) => StubAnswer;
  /** Records that were answered with a record id, in order. */
  delivered: Buffer[];
  close(): Promise<void>;
}

const KIB = 1024;

/** Takes everything that is within the limits. */
export function takeAll(records: readonly Buffer[]): StubAnswer {
  const bytes = records.reduce((sum, { length }) => sum + length, 0);
  const isTooMuch = records.length === 0 || records.length > 500 || bytes > 4 * KIB * KIB;
  if (isTooMuch || records.some(({ length }) => length > 1_000 * KIB))
    return failure(400, 'InvalidArgumentException');
  const RequestResponses = records.map((_, index) => ({ RecordId: `${index}` }));
  return { status: 200, body: { FailedPutCount: 0, RequestResponses } };
}

export function failure(status: number, name: string): StubAnswer {
  return { status, body: { __type: name, message: 'as the test wants it' } };
}

/** Speaks PutRecordBatch as Firehose does (AWS JSON 1.1), on loopback. */
export async function startFirehoseStub(): Promise<FirehoseStub> {
  const server = createServer(async (request, response) => {
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk);
    const { Records } = JSON.parse(Buffer.concat(body).toString()) as { Records: { Data: string }[] };
    const records = Records.map(({ Data }) => Buffer.from(Data, 'base64'));
    const answer = stub.answer(records);
    if (answer === 'hang') return;
    const { RequestResponses = [] } = answer.body as { RequestResponses?: { RecordId?: string }[] };
    stub.delivered.push(...records.filter((_, index) => RequestResponses[index]?.RecordId !== undefined));
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stub: FirehoseStub = {
    endpoint: `http://127.0.0.1:${port}`,
    answer: takeAll,
    delivered: [],
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return stub;
}
