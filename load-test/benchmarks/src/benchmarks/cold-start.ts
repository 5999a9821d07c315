import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type BundleName, bundle } from '@twinstream/cdk/bundles';
import { BUNDLE_FILE } from '@twinstream/cdk/code-folders';
import { lambdaBatch } from '@twinstream/stream-model/testing';
import { z } from 'zod';
import type { Benchmark, Figure } from '../benchmark.ts';

const run = promisify(execFile);
const STARTS = 11;
/** The bar of the project, on two shared cores. */
const COLD_START_MS_MAX = 300;
const EVENT = {
  v: 1,
  deviceId: 'bus-2619',
  type: 'reported',
  time: '2017-03-21T05:00:31.000Z',
  session: 3,
  counter: 1,
  data: { speedMph: 17.4, routeId: '1' },
};

/** What a fresh process does, and only that: import the bundle as Lambda does, handle one record, say how long it took. */
const CHILD = `
const [file, event] = process.argv.slice(1);
const before = process.cpuUsage();
const start = performance.now();
const { handler } = await import(file);
const imported = performance.now();
const answer = await handler(JSON.parse(event), { awsRequestId: 'cold', getRemainingTimeInMillis: () => 30_000 });
const handled = performance.now();
const used = process.cpuUsage(before);
process.stdout.write('\\n' + JSON.stringify({ importMs: imported - start, totalMs: handled - start, cpuMs: (used.user + used.system) / 1_000, answer }) + '\\n');
`;

const RESULT = z.object({
  importMs: z.number(),
  totalMs: z.number(),
  cpuMs: z.number(),
  answer: z.object({ batchItemFailures: z.array(z.never()) }),
});

/** Answers of AWS to one record of a device that is not known yet, and of Firehose to one pack. */
const ANSWERS: Readonly<Record<string, unknown>> = {
  GetItem: {},
  BatchExecuteStatement: { Responses: [{}] },
  UpdateItem: {},
  Query: { Items: [], Count: 0, ScannedCount: 0 },
  PutRecordBatch: { FailedPutCount: 0, RequestResponses: [{ RecordId: 'record' }] },
};

/** Serves {@link ANSWERS} on the loopback address, and notes what it was asked for. */
async function stubOfAws() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    asked.push(operation);
    request.resume().on('end', () => {
      const answer = ANSWERS[operation];
      response.writeHead(answer === undefined ? 400 : 200, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify(answer ?? { __type: 'UnknownOperationException' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Starts a function in fresh processes, one after the other. Throws when a start does not do its work. */
async function coldStarts(name: BundleName, needed: readonly string[]): Promise<z.infer<typeof RESULT>[]> {
  const file = join((await bundle(name)).folder, BUNDLE_FILE);
  const record = {
    sequenceNumber: '49590338271490256608559692538361571095921575989136588898',
    partitionKey: EVENT.deviceId,
    data: Buffer.from(`${JSON.stringify(EVENT)}\n`),
    arrivalTime: 1_790_000_000_000,
  };
  const event = JSON.stringify(lambdaBatch({ records: [record] }));
  const aws = await stubOfAws();
  const environment = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL: aws.url,
    NODE_OPTIONS: '--enable-source-maps',
    TWINSTREAM_ARCHIVE_BUCKET: 'bucket',
    TWINSTREAM_OPERATIONS_TABLE: 'operations',
    TWINSTREAM_DELIVERY_STREAM: 'archive',
  };
  const results: z.infer<typeof RESULT>[] = [];
  try {
    for (let start = 0; start < STARTS; start += 1) {
      aws.asked.length = 0;
      const { stdout } = await run(process.execPath, ['--input-type=module', '-e', CHILD, file, event], {
        env: environment,
      });
      results.push(RESULT.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')));
      const missing = needed.filter((operation) => !aws.asked.includes(operation));
      if (missing.length > 0) throw new Error(`${name} answered without ${missing.join(', ')}`);
    }
  } finally {
    await aws.close();
  }
  return results;
}

async function figuresOf(name: BundleName, needed: readonly string[]): Promise<Figure[]> {
  const results = await coldStarts(name, needed);
  const totals = results.map(({ totalMs }) => totalMs);
  const note = `${STARTS} fresh processes, source maps on; AWS is a stub that answers immediately`;
  return [
    {
      name: 'import to first record handled, median',
      subject: name,
      value: median(totals),
      unit: 'ms',
      atMost: COLD_START_MS_MAX,
      note,
    },
    {
      name: 'of it the import, median',
      subject: name,
      value: median(results.map((one) => one.importMs)),
      unit: 'ms',
    },
    {
      name: 'import to first record handled, processor time, median',
      subject: name,
      value: median(results.map((one) => one.cpuMs)),
      unit: 'ms',
      note: 'what remains of it where nothing else runs on the cores',
    },
    {
      name: 'import to first record handled, slowest',
      subject: name,
      value: Math.max(...totals),
      unit: 'ms',
    },
    {
      name: 'bundle with source map, compressed',
      subject: name,
      value: (await bundle(name)).compressedBytes / 2 ** 20,
      unit: 'MiB',
      atMost: 1,
    },
  ];
}

const benchmark: Benchmark = {
  name: 'cold-start',
  compares:
    'the deployed bundles in a fresh process of Node: from the import of the module to the answer for one record. The start of ' +
    'the process itself and the placement of the code, which AWS does, are left out',
  run: async () => [
    ...(await figuresOf('state-projector', ['BatchExecuteStatement', 'UpdateItem'])),
    ...(await figuresOf('event-archiver', ['PutRecordBatch'])),
  ],
};

export default benchmark;
