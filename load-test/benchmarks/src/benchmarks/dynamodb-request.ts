import { fork } from 'node:child_process';
import { Agent, request as httpRequest } from 'node:http';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  batchedItems,
  type DynamoDbRequests,
  dynamoDbClient,
  fastRequests,
  sdkRequests,
} from '@twinstream/aws/dynamodb';
import { readyMessage } from '@twinstream/test-kit';
import type { Benchmark, Figure } from '../benchmark.ts';

const SERVER = fileURLToPath(new URL('../projector-subjects/answering-server.ts', import.meta.url));
const REQUESTS = 6_000;
/** As many as the projector has on their way. */
const AT_ONCE = 64;
const ROUNDS = 5;
/** The first rounds compile. */
const WARM_UP_ROUNDS = 3;
/** Of a page of 25 events, compressed. */
const BODY = Buffer.alloc(900, 7);

type Send = () => Promise<unknown>;

function put(requests: DynamoDbRequests): Send {
  return () =>
    requests.putItem({
      TableName: 'events',
      Item: { deviceId: { S: 'bus-2619' }, key: { S: 'page' }, body: { B: BODY }, events: { N: '25' } },
      ConditionExpression: 'attribute_not_exists(deviceId)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
}

/** The same items as the projector writes them, each call one of its own: 25 share a request. */
function insertInBatches(requests: DynamoDbRequests): Send {
  const items = batchedItems(requests);
  let keys = 0;
  return () => {
    keys += 1;
    const item = {
      deviceId: { S: `bus-${keys}` },
      key: { S: 'page' },
      body: { B: BODY },
      events: { N: '25' },
    };
    return items.insert({ tableName: 'events', keyNames: ['deviceId', 'key'], item });
  };
}

/** A request of that size as Node sends it, unsigned, and its answer read. */
function plain(port: number): Send {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const body = JSON.stringify({ body: BODY.toString('base64'), rest: 'x'.repeat(300) });
  const headers = { 'content-length': String(body.length), authorization: 'x'.repeat(250) };
  return () =>
    new Promise((resolve, reject) => {
      const sent = httpRequest({ host: '127.0.0.1', port, method: 'POST', agent, headers }, (answer) => {
        answer.resume();
        answer.once('end', resolve);
      });
      sent.once('error', reject);
      sent.end(body);
    });
}

async function microsOf(send: Send): Promise<number> {
  let left = REQUESTS;
  const before = process.cpuUsage();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left > 0) {
        left -= 1;
        await send();
      }
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return (user + system) / REQUESTS;
}

async function run(): Promise<readonly Figure[]> {
  const server = fork(SERVER);
  try {
    const port = Number(await readyMessage(server));
    const settings = {
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${port}`,
      credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    };
    const subjects: readonly (readonly [string, string, Send])[] = [
      ['the SDK', 'its client as it comes', put(sdkRequests(new DynamoDBClient(settings)))],
      [
        'twinstream',
        "its own handler, all of the SDK's middleware",
        put(sdkRequests(dynamoDbClient(settings))),
      ],
      ['twinstream', 'on the fast path', put(fastRequests(dynamoDbClient(settings)))],
      [
        'twinstream',
        'on the fast path, in batches of 25',
        insertInBatches(fastRequests(dynamoDbClient(settings))),
      ],
      ['http.request', 'unsigned, as many bytes', plain(port)],
    ];
    const micros = subjects.map((): number[] => []);
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1) {
      for (const [index, [, , send]] of subjects.entries()) {
        const measured = await microsOf(send);
        if (round >= WARM_UP_ROUNDS) micros[index]?.push(measured);
      }
    }
    return subjects.map(([subject, note], index) => ({
      name: 'processor time of a conditional write',
      subject,
      value: micros[index]?.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN,
      unit: 'µs/write',
      note,
    }));
  } finally {
    server.disconnect();
  }
}

const benchmark: Benchmark = {
  name: 'dynamodb-request',
  compares:
    `a PutItem of a page of 900 bytes over loopback to a process that answers immediately, ${AT_ONCE} on their way: processor ` +
    `time of the client's process, medians of ${ROUNDS} rounds of ${REQUESTS.toLocaleString('en')} after ${WARM_UP_ROUNDS} to warm up`,
  run,
};

export default benchmark;
