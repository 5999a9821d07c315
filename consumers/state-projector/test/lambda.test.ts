import { createServer, type Server } from 'node:http';
import { lambdaBatch, lambdaContext } from '@twinstream/stream-model/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { FINISHED, record, reported } from './projector-fixture.ts';

interface Request {
  readonly target: string;
  readonly path: string;
  readonly text: string;
}

let server: Server;
let standing: Readonly<Record<string, string>> = {};
const requests: Request[] = [];

const MAPPING = `
language: 1
mapping: fleet
version: 1
rules:
  - name: flat
    when: [{ value: serial, exists: true }]
    event:
      deviceId: serial
      time: { path: at, steps: [{ time: { unit: seconds } }] }
      data: { object: { at: at } }
`;

function answerTo(target: string, text: string): string {
  if (target === 'PUT') return '';
  if (target === 'GET') return MAPPING;
  if (target !== 'BatchExecuteStatement') return '{}';
  const { Statements } = JSON.parse(text) as { readonly Statements: readonly unknown[] };
  return JSON.stringify({ Responses: Statements.map(() => ({})) });
}

/** A DynamoDB of empty tables, and an S3, that take whatever is written. */
beforeAll(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      const target =
        String(request.headers['x-amz-target'] ?? request.method)
          .split('.')
          .at(-1) ?? '';
      requests.push({ target, path: request.url ?? '', text });
      response.setHeader('content-type', 'application/x-amz-json-1.0');
      response.end(answerTo(target, text));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const settings = {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${address.port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    TWINSTREAM_EVENTS_TABLE: 'my-events',
    TWINSTREAM_DEVICE_STATE_TABLE: 'my-states',
    TWINSTREAM_SHARD_PROGRESS_TABLE: 'my-progress',
    TWINSTREAM_ARCHIVE_BUCKET: 'my-archive',
    TWINSTREAM_LOG_LEVEL: 'silent',
  };
  standing = settings;
});
beforeEach(() => {
  for (const [name, value] of Object.entries(standing)) vi.stubEnv(name, value);
});
afterEach(() => {
  vi.unstubAllEnvs();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** A container that has just started. */
async function coldStart(settings: Readonly<Record<string, string>> = {}) {
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
  vi.resetModules();
  requests.length = 0;
  return await import('../src/lambda.ts');
}

test('the function writes to the tables and the bucket that its variables name', async () => {
  const { handler } = await coldStart();
  const records = [record(1, reported(1)), record(2, 'not JSON')];
  expect(await handler(lambdaBatch({ records }), lambdaContext())).toEqual(FINISHED);
  const writes = requests.filter(({ target }) => target !== 'GetItem');
  for (const table of ['my-events', 'my-states', 'my-progress']) {
    expect(writes.filter(({ text }) => text.includes(table))).toHaveLength(1);
  }
  expect(writes.filter(({ path }) => path.startsWith('/my-archive/quarantine/'))).toHaveLength(1);
  expect(writes).toHaveLength(4);
});

test('the function remembers the devices that it has written, from one invocation to the next', async () => {
  const { handler } = await coldStart();
  await handler(lambdaBatch({ records: [record(1, reported(1))] }), lambdaContext());
  requests.length = 0;
  await handler(lambdaBatch({ records: [record(2, reported(2))] }), lambdaContext());
  expect(requests.map(({ target }) => target)).not.toContain('GetItem');
});

test('the function asks Lambda how much time is left, and starts nothing without any', async () => {
  const { handler } = await coldStart();
  const batch = lambdaBatch({ records: [record(7, reported(1))] });
  expect(
    await handler(
      batch,
      lambdaContext(() => 0),
    ),
  ).toEqual({
    batchItemFailures: [{ itemIdentifier: '7' }],
  });
  expect(requests).toEqual([]);
});

test('the function reads its mapping from a bucket, and asks the operations table which tables are in use', async () => {
  const { handler } = await coldStart({
    TWINSTREAM_MAPPING: 's3://my-mappings/fleet.yaml',
    TWINSTREAM_OPERATIONS_TABLE: 'my-operations',
  });
  expect(requests).toMatchObject([{ target: 'GET', path: '/my-mappings/fleet.yaml?x-id=GetObject' }]);
  const payload = JSON.stringify({ serial: 'pump-1', at: 1_767_225_600 });
  expect(await handler(lambdaBatch({ records: [record(1, payload)] }), lambdaContext())).toEqual(FINISHED);
  expect(requests.some(({ text }) => text.includes('my-operations'))).toBe(true);
  const [page] = requests.filter(({ text }) => text.includes('INSERT INTO') && text.includes('my-events'));
  expect(page?.text).toContain('pump-1');
});
