import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { dynamoDbEventStore } from '@twinstream/event-store';
import { lambdaBatch } from '@twinstream/stream-model/testing';
import { until } from '@twinstream/test-kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  contentOf,
  deleteItems,
  eventsFrom,
  type Item,
  itemsOf,
  type Operations,
  putItem,
  s3Of,
} from '../src/operations-pipeline.ts';
import type { RunningPipeline } from '../src/running-pipeline.ts';
import { BUSES, type BusDay, REPORTS, sendBusDay, startBusDay } from './bus-day.ts';

const EVENTS = 'events';
const STATES = 'device-state';
const DEADLINE_MS = 60_000;
const POLL_MS = 500;
const REPAIR = ['--into', 'repair', '--execute', '--reason', 'a test', '--yes', '--function-timeout', '1s'];

let day: BusDay;
let pipeline: RunningPipeline;
let operations: Operations;
let tables: DynamoDBClient;

/** Waits for what the archive is to hold, which comes some seconds later. */
async function archived(): Promise<void> {
  for (const giveUpTime = Date.now() + DEADLINE_MS; Date.now() < giveUpTime; ) {
    const { code } = await operations.ops('verify', '--archive-lag', '0s');
    if (code === 0) return;
    await sleep(POLL_MS);
  }
  throw new Error('the archive does not come to hold every event');
}

beforeAll(async () => {
  day = await startBusDay();
  ({ pipeline, operations, tables } = day);
}, 120_000);
afterAll(() => day?.stop(), 60_000);

/** The tests build upon each other: one that is tried again finds what the try before has done. */
const IN_SEQUENCE = { retry: 0 };

describe('what is stored', IN_SEQUENCE, () => {
  test('is proved equal to its history, archive included', async () => {
    await archived();
    const found = await operations.json(0, 'verify', '--archive-lag', '0s');
    expect(found).toMatchObject({ equal: true, devices: BUSES, events: BUSES * REPORTS, differences: [] });
    expect(found.archive).toMatchObject({ eventsFound: BUSES * REPORTS, eventsNotDue: 0 });
  });

  test('has a batch that both functions gave up, which a redrive hands to each, and stores nothing twice', async () => {
    const s3 = s3Of(pipeline);
    const store = dynamoDbEventStore(tables, { tableName: EVENTS });
    const [deviceId] = await Array.fromAsync(store.deviceIds());
    if (deviceId === undefined) throw new Error('nothing is stored');
    const [page] = await Array.fromAsync(store.pages(deviceId));
    const [event] = page?.events ?? [];
    if (page === undefined || event === undefined) throw new Error(`nothing is stored of ${deviceId}`);
    const { shardId } = page;
    const { place, text: data, arrivalTime } = event;
    const records = [{ sequenceNumber: place.sequenceNumber, partitionKey: deviceId, data, arrivalTime }];
    const Bucket = 'twinstream-archive';
    for (const name of ['state-projector', 'event-archiver']) {
      const document = {
        requestContext: { functionArn: `arn:aws:lambda:us-east-1:123456789012:function:${name}` },
        KinesisBatchInfo: { shardId },
        payload: JSON.stringify(lambdaBatch({ shardId, records })),
      };
      const Key = `aws/lambda/${name}/${shardId}/2026/11/29/2026-11-29T05.00.00-1`;
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: JSON.stringify(document) }));
    }
    expect(await operations.json(0, 'redrive')).toMatchObject({ outcomes: { 'would-redrive': 2 } });
    const redrive = ['redrive', '--execute', '--reason', 'a test', '--yes'];
    const redriven = await operations.json(0, ...redrive);
    expect(redriven).toMatchObject({ outcomes: { redriven: 2 } });
    expect(redriven.results).toContainEqual(expect.objectContaining({ stored: 0, alreadyStored: 1 }));
    expect(await operations.json(0, ...redrive)).toMatchObject({ documents: 0 });
    // As the archiver was invoked with it: the same position a second time.
    const archivedTimes = async () => {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'archive/' }));
      let times = 0;
      for (const { Key } of Contents) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
        const lines = gunzipSync((await Body?.transformToByteArray()) ?? '')
          .toString()
          .split('\n');
        times += lines.filter((line) => line.includes(place.sequenceNumber)).length;
      }
      return times;
    };
    await until('the archive holds it twice', async () => (await archivedTimes()) === 2, DEADLINE_MS);
    s3.destroy();
    expect((await operations.json(0, 'verify', '--archive-lag', '0s')).equal).toBe(true);
  });

  test('loses a hundred pages and thirty rows, which verify names and a repair restores', async () => {
    const pages = (await itemsOf(tables, EVENTS)).filter(({ key }) => key?.S?.startsWith('EVENT#') === true);
    const [events, states] = [await contentOf(tables, EVENTS), await contentOf(tables, STATES)];
    const ids = [...new Set(pages.map(({ deviceId }) => deviceId?.S ?? ''))].sort();
    const damagedIds = new Set(ids.slice(0, BUSES / 2));
    const lost = pages.filter(({ deviceId }) => damagedIds.has(deviceId?.S ?? '')).slice(0, 100);
    await deleteItems(tables, EVENTS, lost);
    const altered = (await itemsOf(tables, STATES))
      .filter(({ deviceId }) => !damagedIds.has(deviceId?.S ?? ''))
      .slice(0, 30);
    for (const item of altered) {
      await putItem(tables, STATES, {
        ...item,
        attributes: { M: { ...item.attributes?.M, speed: { N: '-1' } } },
      });
    }
    expect(altered.length).toBe(30);

    const { differences } = await operations.json(1, 'verify', '--no-archive');
    const named = (differences as readonly { kind: string; deviceId: string; subject: string }[]).map(
      ({ kind, deviceId, subject }) => `${kind} ${deviceId} ${subject}`,
    );
    const numberOf = ({ key }: Item) => Number(key?.S?.split('#')[2]);
    const expected = [
      ...lost.map((item) => `page-missing ${item.deviceId?.S} page ${numberOf(item)}`),
      ...altered.map(({ deviceId }) => `state-differs ${deviceId?.S} attributes.speed`),
    ];
    expect(named.sort()).toEqual(expected.sort());

    const job = await operations.json(0, 'replay', 'start', '--from', 'earliest', ...REPAIR);
    expect(job.repair).toMatchObject({
      pagesMissing: lost.length,
      pagesRestored: lost.length,
      statesRestored: 30,
    });
    expect(job.total).toMatchObject({ applied: 0, late: 0, duplicate: 0, failed: 0 });
    expect((await operations.json(0, 'verify', '--no-archive')).equal).toBe(true);
    expect(await contentOf(tables, STATES)).toEqual(states);
    // Where whole neighbourhoods were lost the boundaries may have moved; the numbers have not.
    const after = await contentOf(tables, EVENTS);
    const numbers = (content: Map<string, string>) =>
      [...content.keys()]
        .filter((key) => key.includes('EVENT#'))
        .map((key) => key.replace(/#\d+#/, '#'))
        .sort();
    expect(numbers(after)).toEqual(numbers(events));
  });

  test('is equal to before when the states were wiped and rebuilt from the event store', async () => {
    const before = await contentOf(tables, STATES);
    await deleteItems(tables, STATES, await itemsOf(tables, STATES));
    await operations.json(0, 'replay', 'start', '--source', 'event-store', ...REPAIR);
    expect(await contentOf(tables, STATES)).toEqual(before);
  });

  test('is equal to before, places included, when all was wiped and rebuilt from the archive', async () => {
    await archived();
    const store = dynamoDbEventStore(tables, { tableName: EVENTS });
    const before = await eventsFrom(store, 0);
    await deleteItems(tables, EVENTS, await itemsOf(tables, EVENTS));
    await deleteItems(tables, STATES, await itemsOf(tables, STATES));
    const job = await operations.json(
      0,
      'replay',
      'start',
      '--source',
      'archive',
      '--from',
      'earliest',
      ...REPAIR,
    );
    expect(job.total).toMatchObject({ applied: BUSES * REPORTS, failed: 0 });
    expect(await eventsFrom(store, 0)).toEqual(before);
    expect((await operations.json(0, 'verify', '--archive-lag', '0s')).equal).toBe(true);
  });

  test('lacks a device that was deleted whole, which verify names, and a repair of that device rebuilds', async () => {
    const store = dynamoDbEventStore(tables, { tableName: EVENTS });
    const before = await eventsFrom(store, 0);
    const [lost = ''] = before.keys();
    const isLost = ({ deviceId }: Item) => deviceId?.S === lost;
    await deleteItems(tables, EVENTS, (await itemsOf(tables, EVENTS)).filter(isLost));
    await deleteItems(tables, STATES, (await itemsOf(tables, STATES)).filter(isLost));
    for (const flags of [['--device', lost], []]) {
      const { differences, archive } = await operations.json(1, 'verify', '--archive-lag', '0s', ...flags);
      expect(differences).toMatchObject([{ deviceId: lost, kind: 'device-missing' }]);
      expect(archive).toMatchObject({ missing: REPORTS });
    }
    const unknown = ['--device', 'bus-typo'];
    expect((await operations.ops('verify', ...unknown)).code).toBe(3);
    const replay = ['replay', 'start', '--source', 'archive', '--from', 'earliest', ...REPAIR];
    expect((await operations.ops(...replay, ...unknown)).stderr).toContain('UNKNOWN_DEVICE');
    const job = await operations.json(0, ...replay, '--device', lost);
    expect(job.total).toMatchObject({ applied: REPORTS, failed: 0 });
    expect(await eventsFrom(store, 0)).toEqual(before);
    expect((await operations.json(0, 'verify', '--archive-lag', '0s')).equal).toBe(true);
  });

  test('is verified and replayed past what is foreign in the archive, where that is asked for', async () => {
    const s3 = s3Of(pipeline);
    const [Bucket, Key] = ['twinstream-archive', 'archive/foreign.gz'];
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: gzipSync('{"hello":"there"}\n') }));
    try {
      const { differences } = await operations.json(1, 'verify', '--archive-lag', '0s');
      expect(differences).toMatchObject([{ kind: 'line-foreign', subject: `${Key} line 1` }]);
      const { archive } = await operations.json(0, 'verify', '--archive-lag', '0s', '--skip-foreign');
      expect(archive).toMatchObject({ foreign: { count: 1, named: [{ object: Key, line: 1 }] } });
      const replay = ['replay', 'start', '--source', 'archive', '--from', 'earliest', ...REPAIR];
      const refused = await operations.ops(...replay);
      expect(refused.code).toBe(3);
      expect(refused.stderr).toContain(`ARCHIVE_LINE_INVALID): ${Key} line 1`);
      const job = await operations.json(0, ...replay, '--skip-foreign');
      expect(job).toMatchObject({ foreign: { count: 1 }, total: { applied: 0, failed: 0 } });
    } finally {
      await s3.send(new DeleteObjectCommand({ Bucket, Key }));
      s3.destroy();
    }
  });

  test('goes on as if nothing had been when devices send after a rebuild', async () => {
    expect((await pipeline.simulate('--devices', '20', '--rate', '400', '--count', '800')).code).toBe(0);
    expect((await sendBusDay(pipeline, '--session', '9000000000')).code).toBe(0);
    await pipeline.caughtUp();
    expect((await operations.json(0, 'verify', '--no-archive')).equal).toBe(true);
  });
});
