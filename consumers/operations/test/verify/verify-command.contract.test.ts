import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import type { Item } from '@twinstream/aws/dynamodb';
import { EXIT_CODES } from '@twinstream/command-line';
import { deviceId, newDevice } from '@twinstream/device-model';
import { dynamoDbEventStore, EVENTS_TABLE_DEFINITION } from '@twinstream/event-store';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import {
  dynaliteEngine,
  engineTitle,
  type TestDynamoDb,
} from '@twinstream/event-store/contract/dynamodb-engines';
import { DEVICE_STATE_TABLE_DEFINITION, dynamoDbLatestStateTable } from '@twinstream/latest-state';
import { systemClock } from '@twinstream/runtime';
import { configuredGeneration, type TableNames } from '@twinstream/table-generation';
import { arrivedEvent, SHARDS } from '@twinstream/test-kit';
import { DAMAGES, isExpected } from '@twinstream/verification/contract/damages';
import { type StoredDevice, storedDevice } from '@twinstream/verification/contract/stored-device';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { memoryOperations, runOps } from '../memory-operations.ts';

const BATCH_WRITE_ITEMS_MAX = 25;
const HEALTHY_COUNT = 3;

let dynamoDb: TestDynamoDb;
let tables: TableNames;

beforeAll(async () => {
  dynamoDb = await dynaliteEngine.start();
  tables = {
    eventsTable: await dynamoDb.createTable(EVENTS_TABLE_DEFINITION),
    deviceStateTable: await dynamoDb.createTable(DEVICE_STATE_TABLE_DEFINITION),
  };
});
afterAll(() => dynamoDb?.close());

/** Runs a command on the tables of the test. It reaches nothing else. */
function ops(...argv: readonly string[]) {
  const services = {
    ...memoryOperations({ ...systemClock, sleep: async () => undefined }),
    generation: async () => configuredGeneration(tables),
    stores: ({ eventsTable, deviceStateTable }: TableNames) => ({
      eventStore: dynamoDbEventStore(dynamoDb.client, { tableName: eventsTable }),
      latestState: dynamoDbLatestStateTable(dynamoDb.client, { tableName: deviceStateTable }),
    }),
  };
  return runOps(services, argv);
}

async function put(TableName: string, items: readonly Item[]): Promise<void> {
  for (let at = 0; at < items.length; at += BATCH_WRITE_ITEMS_MAX) {
    const requests = items.slice(at, at + BATCH_WRITE_ITEMS_MAX).map((Item) => ({ PutRequest: { Item } }));
    await dynamoDb.client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: requests } }));
  }
}

async function store(devices: readonly StoredDevice[]): Promise<void> {
  await put(
    tables.eventsTable,
    devices.flatMap(({ events }) => events),
  );
  await put(
    tables.deviceStateTable,
    devices.flatMap(({ state }) => (state === undefined ? [] : [state])),
  );
}

describe(engineTitle('verify on a damaged store', dynaliteEngine), () => {
  test('names each of all kinds of damage, ends with exit code 1, and reports the rest', async () => {
    const healthy = await Promise.all(
      Array.from({ length: HEALTHY_COUNT }, (_, index) => storedDevice(`healthy-${index}`)),
    );
    const damaged = await Promise.all(
      DAMAGES.map(async ({ apply }, index) => apply(await storedDevice(`damaged-${index}`))),
    );
    await store([...healthy, ...damaged]);
    await put(tables.eventsTable, [{ deviceId: { S: 'no\ndevice' }, key: { S: 'EVENT#1' } }]);
    await put(tables.deviceStateTable, [{ deviceId: { S: 'none\neither' } }]);

    const { exitCode, stdout, stderr } = await ops('verify', '--no-archive', '--output', 'json');
    expect([exitCode, stderr]).toEqual([EXIT_CODES.failed, '']);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ equal: false, devices: HEALTHY_COUNT + DAMAGES.length });

    const byDevice = Map.groupBy(
      report.differences as { deviceId: string; kind: string; subject: string }[],
      ({ deviceId }) => deviceId,
    );
    const textsOf = (id: string) => (byDevice.get(id) ?? []).map(({ kind, subject }) => `${kind} ${subject}`);
    for (const [index, { name, expected }] of DAMAGES.entries()) {
      const found = textsOf(`damaged-${index}`);
      expect(isExpected(expected, found), `${name}: ${found.join('; ')}`).toBe(true);
    }
    for (const { deviceId } of healthy) expect(textsOf(deviceId)).toEqual([]);
    expect(textsOf('no\ndevice')).toEqual(['item-foreign in events']);
    expect(textsOf('none\neither')).toEqual(['item-foreign in device-state']);
  });

  test('goes on behind a page that is garbage, in the table of differences too', async () => {
    const { exitCode, stdout } = await ops('verify', '--no-archive', '--device', 'damaged-5');
    expect(exitCode).toBe(EXIT_CODES.failed);
    expect(stdout).toMatch(/damaged-5 +page-damaged +page 3/);
    expect(stdout).toContain('1 difference: 1 device, 6 pages');
  });
});

describe('a device of which nothing is stored', () => {
  test.each([
    'verify --no-archive --device nobody',
    'verify --no-archive --device healthy-0 --device nobody',
    'history nobody',
    'history nobody --output json',
    'state nobody',
    'state nobody --at PT1H',
    'state nobody --at PT2H --diff PT1H',
  ])('is refused with exit code 3: %s', async (line) => {
    const { exitCode, stdout, stderr } = await ops(...line.split(' '));
    expect([exitCode, stdout]).toEqual([EXIT_CODES.refused, '']);
    expect(stderr).toContain('UNKNOWN_DEVICE');
    expect(stderr).toContain('no events are stored of nobody');
  });

  test('is told from one that had nothing yet at that time, and from one without events in that time', async () => {
    const early = await ops('state', 'healthy-0', '--at', '2026-01-01T00:00:00Z');
    expect([early.exitCode, early.stderr]).toEqual([
      EXIT_CODES.refused,
      expect.stringContaining('NO_STATE_AT_TIME'),
    ]);
    const none = await ops('history', 'healthy-0', '--to', '2026-01-01T00:00:00Z');
    expect([none.exitCode, none.stderr]).toEqual([
      EXIT_CODES.success,
      expect.stringContaining('no stored event in that time'),
    ]);
  });
});

describe('a device whose state is larger than an item', () => {
  const DEVICE = 'too-large';

  beforeAll(async () => {
    await putTooLarge(DEVICE);
  });

  test('is named by verify with the size of its state', async () => {
    const { exitCode, stdout } = await ops('verify', '--no-archive', '--device', DEVICE, '--output', 'json');
    expect(exitCode).toBe(EXIT_CODES.failed);
    const [difference] = JSON.parse(stdout).differences;
    expect(difference).toMatchObject({ kind: 'state-refused', subject: 'state' });
    expect(difference.found).toMatch(/^no item: the state takes \d+ bytes, an item holds 409600$/);
  });

  test('has a history, and a state that is said to be missing', async () => {
    const state = await ops('state', DEVICE);
    expect(state.exitCode).toBe(EXIT_CODES.refused);
    expect(state.stderr).toContain('STATE_MISSING');
    expect(state.stderr).not.toContain('nothing is stored');
    const history = await ops('history', DEVICE);
    expect(history.exitCode).toBe(EXIT_CODES.success);
    const elsewhere = await ops('history', DEVICE, '--to', '2026-01-01T00:00:00Z');
    expect(elsewhere.exitCode).toBe(EXIT_CODES.success);
  });
});

/** Pages of a device whose attributes take more than 400 KB from its first batch on. */
async function putTooLarge(name: string): Promise<void> {
  const eventStore = dynamoDbEventStore(dynamoDb.client, { tableName: tables.eventsTable });
  const events = [1, 2].map((at) =>
    arrivedEvent({
      deviceId: name,
      at,
      session: 1,
      counter: at,
      data: { [`text${at}`]: 'x'.repeat(220_000) },
    }),
  );
  await writeBatch(eventStore, newDevice(deviceId(name)), SHARDS[0], events);
}
