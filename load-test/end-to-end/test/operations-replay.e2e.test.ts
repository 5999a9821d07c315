import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ListEventSourceMappingsCommand, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import type { EventList } from '@twinstream/api-contract';
import { dynamoDbEventStore } from '@twinstream/event-store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ended, eventsFrom, lambdaOf, type Operations } from '../src/operations-pipeline.ts';
import type { RunningPipeline } from '../src/running-pipeline.ts';
import { type BusDay, startBusDay } from './bus-day.ts';

const EVENTS = 'events';
const DEADLINE_MS = 60_000;
const POLL_MS = 200;
/** Times that a replay is killed. The full count is 10: `TWINSTREAM_TEST_REPLAY_KILLS=10`. */
const KILLS = Number(process.env.TWINSTREAM_TEST_REPLAY_KILLS ?? 2);
/** Events a second of that replay, so that it lasts for all kills, and the seconds between its checkpoints. */
const RATE = Math.min(200, Math.round(1_000 / KILLS));
const CHECKPOINT_S = 2;

let day: BusDay;
let pipeline: RunningPipeline;
let operations: Operations;
let tables: DynamoDBClient;

beforeAll(async () => {
  day = await startBusDay();
  ({ pipeline, operations, tables } = day);
}, 120_000);
afterAll(() => day?.stop(), 60_000);

/** The tests build upon each other: one that is tried again finds what the try before has done. */
const IN_SEQUENCE = { retry: 0 };

describe('quarantine', IN_SEQUENCE, () => {
  test('fifty records are fixed and redriven while load runs, and nothing else changes', async () => {
    const malformed = await pipeline.simulate(
      ...['--devices', '10', '--rate', '1000', '--count', '500', '--malformed', '10', '--seed', '4'],
    );
    expect(malformed.code).toBe(0);
    await pipeline.caughtUp();
    const listed = await operations.ops('quarantine', 'list', '--output', 'json');
    const entries = listed.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(entries.length).toBeGreaterThan(40);
    const fixed = entries.map(({ shardId, sequenceNumber, subSequenceNumber }, index) =>
      JSON.stringify({
        ...{ shardId, sequenceNumber, subSequenceNumber },
        event: {
          ...{ v: 1, deviceId: `fixed-${index % 5}`, type: 'reported', time: '2026-01-01T00:00:00Z' },
          ...{ session: 1, counter: index, data: { fixed: index } },
        },
      }),
    );
    writeFileSync(join(day.folder, 'fixed.ndjson'), `${fixed.join('\n')}\n`);
    const before = await eventsFrom(dynamoDbEventStore(tables, { tableName: EVENTS }), 0);
    const load = pipeline.startSimulator('--devices', '10', '--rate', '200', '--count', '600');
    const done = await operations.json(
      0,
      ...['quarantine', 'redrive', '--input', 'fixed.ndjson', '--execute', '--reason', 'a test', '--yes'],
    );
    expect(done.outcomes).toEqual({ stored: entries.length });
    await ended(load);
    await pipeline.caughtUp();
    const after = await eventsFrom(dynamoDbEventStore(tables, { tableName: EVENTS }), 0);
    let redriven = 0;
    for (const [deviceId, events] of after) {
      if (deviceId.startsWith('fixed-')) redriven += events.length;
      else if (before.has(deviceId))
        expect(events.slice(0, before.get(deviceId)?.length)).toEqual(before.get(deviceId));
    }
    expect(redriven).toBe(entries.length);
    expect((await operations.ops('quarantine', 'list', '--output', 'json')).stdout).toBe('');
    expect((await operations.json(0, 'verify', '--no-archive')).equal).toBe(true);
  });
});

describe('a replay into fresh tables', IN_SEQUENCE, () => {
  test('from a chosen time equals the live tables from then on, survives kill -9, and is promoted without a restart', async () => {
    const store = dynamoDbEventStore(tables, { tableName: EVENTS });
    const all = await eventsFrom(store, 0);
    const arrivals = [...all.values()]
      .flat()
      .map(({ arrivalTime }) => arrivalTime)
      .sort((a, b) => a - b);
    const chosen = arrivals[Math.floor(arrivals.length / 3)] ?? 0;
    const from = new Date(chosen).toISOString();
    const flags = [
      '--into',
      'fresh',
      '--name',
      'again',
      '--execute',
      '--reason',
      'a test',
      '--yes',
      '--rate',
      String(RATE),
    ];
    const first = operations.startOps('replay', 'start', '--from', from, ...flags);
    const jobId = await jobOf();
    let child = first;
    for (let kill = 0; kill < KILLS; kill += 1) {
      await progressOf(child);
      child.kill('SIGKILL');
      await ended(child);
      child = operations.startOps('replay', 'start', '--resume', jobId, '--yes');
    }
    await ended(child);
    const job = await operations.json(0, 'replay', 'status', jobId);
    expect(job).toMatchObject({ status: 'completed', failureCount: 0 });
    const { redelivered = 0 } = job.total as { redelivered?: number };
    // Twice the interval, for a checkpoint that is on its way.
    expect(redelivered).toBeLessThanOrEqual(KILLS * RATE * CHECKPOINT_S * 2);

    const fresh = dynamoDbEventStore(tables, { tableName: 'again-events' });
    const live = await eventsFrom(store, chosen);
    const replayed = await eventsFrom(fresh, 0);
    // What was redriven lies in its own place again, not at the tail: compare those devices as sets.
    for (const [deviceId, events] of live) {
      const texts = (of: typeof events) => of.map(({ text, place }) => `${place.sequenceNumber} ${text}`);
      const [mine, theirs] = [texts(replayed.get(deviceId) ?? []), texts(events)];
      if (deviceId.startsWith('fixed-')) expect(mine.sort()).toEqual(theirs.sort());
      else expect(mine).toEqual(theirs);
    }
    expect(replayed.size).toBe(live.size);
    expect(
      (await operations.json(0, 'verify', '--against', 'again-device-state', '--no-archive')).equal,
    ).toBe(true);

    const [deviceId] = live.keys();
    await operations.json(0, 'replay', 'promote', jobId, '--yes', '--function-timeout', '1s');
    const answer = await fetch(`${pipeline.apiUrl}/v1/devices/${deviceId}/events?limit=1000`);
    const { events } = (await answer.json()) as EventList;
    expect(events.length).toBe(live.get(deviceId ?? ('' as never))?.length);
    expect((await pipeline.simulate('--devices', '10', '--rate', '400', '--count', '400')).code).toBe(0);
    await pipeline.caughtUp();
    const status2 = await operations.json(0, 'status');
    expect(String(status2.generation)).toContain(jobId);
    expect(status2.projector).toBe('Enabled');
    expect((await operations.json(0, 'verify', '--no-archive')).equal).toBe(true);
  }, 280_000);

  /** Waits until the replay says that it is at work, in its checkpoints' pace. */
  async function progressOf(child: ReturnType<Operations['startOps']>): Promise<void> {
    if (child.stderr === null) throw new TypeError('no standard error');
    let text = '';
    for await (const chunk of child.stderr.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      text += chunk;
      // The first comes with the first checkpoint, or just before it.
      if (text.split('"eventsPerSecond"').length > 2) return;
    }
    throw new Error(`the replay ended before it was killed: ${text}`);
  }

  async function jobOf(): Promise<string> {
    for (const giveUpTime = Date.now() + DEADLINE_MS; Date.now() < giveUpTime; ) {
      const { stdout } = await operations.ops('replay', 'list', '--output', 'json');
      const jobs: readonly { id: string; target: string }[] = JSON.parse(stdout);
      const job = jobs.find(({ target }) => target === 'fresh');
      if (job !== undefined) return job.id;
      await sleep(POLL_MS);
    }
    throw new Error('no job comes up');
  }
});

describe('refusals', IN_SEQUENCE, () => {
  test('name the cause and change nothing', async () => {
    const refused = async (code: number, text: RegExp, ...args: string[]) => {
      const { code: found, stderr } = await operations.ops(...args);
      expect(stderr).toMatch(text);
      expect(found).toBe(code);
    };
    await refused(3, /UNKNOWN_DEVICE/, 'replay', 'plan', '--from', 'earliest', '--device', 'nobody');
    await refused(
      3,
      /TARGET_EXISTS/,
      'replay',
      'plan',
      '--from',
      'earliest',
      '--into',
      'fresh',
      '--name',
      'again',
    );
    await refused(
      2,
      /--execute needs --reason/,
      'replay',
      'start',
      '--from',
      'PT1H',
      '--into',
      'repair',
      '--execute',
    );
    await refused(2, /invalid time/, 'replay', 'start', '--from', 'yesterday');
    await refused(3, /UNKNOWN_JOB/, 'replay', 'promote', 'nothing');
    const lambda = lambdaOf(pipeline);
    const { EventSourceMappings = [] } = await lambda.send(
      new ListEventSourceMappingsCommand({ FunctionName: 'state-projector' }),
    );
    const UUID = EventSourceMappings[0]?.UUID;
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, ParallelizationFactor: 2 }));
    await refused(3, /PARALLELIZATION_FACTOR/, 'replay', 'plan', '--from', 'earliest', '--into', 'repair');
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, ParallelizationFactor: 1 }));
    lambda.destroy();
    await refused(2, /--to must be later/, 'replay', 'plan', '--from', 'PT1H', '--to', 'PT2H');
  });
});
