import { deviceId, encodeEvent } from '@twinstream/device-model';
import { type EventStore, memoryEventStore } from '@twinstream/event-store';
import {
  type LatestStateTable,
  memoryLatestStateTable,
  memoryShardProgressTable,
} from '@twinstream/latest-state';
import { LOCAL_MAPPING_SETTINGS } from '@twinstream/pipeline-settings';
import { memoryQuarantine } from '@twinstream/quarantine';
import { CodedError, createLogger } from '@twinstream/runtime';
import { createProjector, PROJECTOR_OPTIONS } from '@twinstream/state-projector';
import type { KinesisLambdaEvent } from '@twinstream/stream-model';
import { type VirtualClock, virtualClock } from '@twinstream/test-kit';
import { expect, test } from 'vitest';
import { mappingWorld } from './mapping-world.ts';
import { memoryStream } from './memory-stream.ts';

const SHARD = 'shardId-000000000000';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const TIMEOUT_MS = MINUTE_MS;
/** Of the outage, from the start: devices report before it, during it, and after it. */
const [AWAY_FROM_MS, AWAY_UNTIL_MS] = [MINUTE_MS, MINUTE_MS + 2 * HOUR_MS];
const REPORT_EVERY_MS = 5 * MINUTE_MS;
const REPORTS = 26;
const DEVICES = Array.from({ length: 8 }, (_, n) => deviceId(`device-${n}`));
const POISON = 'speed=17';
const { startingPosition: _, ...SETTINGS } = LOCAL_MAPPING_SETTINGS;
const SILENT = createLogger('test', 'silent');

/** Writes that are asked of a table that is away: each third takes effect all the same, and its answer is lost. */
const LANDS_EVERY = 3;
const WRITES: ReadonlySet<unknown> = new Set<keyof EventStore | keyof LatestStateTable | 'advance'>([
  'appendPage',
  'putSnapshot',
  'write',
  'advance',
]);

function tableThatMayBeAway<Table extends object>(table: Table, isAway: () => boolean): Table {
  let writes = 0;
  return new Proxy(table, {
    get: (target, name, receiver) => {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) => {
        if (!isAway()) return method.apply(target, args);
        const away = new CodedError('DYNAMODB_UNAVAILABLE', 'away', { retryable: true });
        if (!WRITES.has(name)) throw away;
        writes += 1;
        const effect = writes % LANDS_EVERY === 0 ? Promise.resolve(method.apply(target, args)) : undefined;
        return Promise.resolve(effect).then(() => Promise.reject(away));
      };
    },
  });
}

/** Devices that report, and the projector behind the mapping that `npm start` runs, in memory and virtual time. */
function pipeline(clock: VirtualClock, settings: typeof SETTINGS) {
  const startMs = clock.now();
  const isAway = () => clock.now() >= startMs + AWAY_FROM_MS && clock.now() < startMs + AWAY_UNTIL_MS;
  const stream = memoryStream(clock);
  stream.addShard(SHARD);
  const tables = { eventStore: memoryEventStore(), latestState: memoryLatestStateTable() };
  const quarantine = memoryQuarantine();
  const project = createProjector(
    {
      clock,
      logger: SILENT,
      eventStore: tableThatMayBeAway(tables.eventStore, isAway),
      latestState: tableThatMayBeAway(tables.latestState, isAway),
      shardProgress: tableThatMayBeAway(memoryShardProgressTable(), isAway),
      quarantine,
      report: () => undefined,
    },
    PROJECTOR_OPTIONS,
  );
  const world = mappingWorld({
    settings,
    clock,
    stream,
    script: ({ atMs, payload }) =>
      project(JSON.parse(payload) as KinesisLambdaEvent, {
        requestId: 'request',
        remainingMs: () => atMs + TIMEOUT_MS - clock.now(),
      }),
  });
  let last: string | undefined;
  const send = async () => {
    for (let counter = 1; counter <= REPORTS; counter += 1) {
      for (const id of DEVICES) {
        const time = new Date(clock.now()).toISOString();
        const identity = { session: 1, counter };
        const event = { v: 1, deviceId: id, type: 'reported', time, identity, data: { counter } } as const;
        last = stream.put(SHARD, id, Buffer.from(encodeEvent(event)).toString());
      }
      if (counter === REPORTS / 2) last = stream.put(SHARD, 'poison', POISON);
      await clock.sleep(REPORT_EVERY_MS);
    }
  };
  const isCaughtUp = () => {
    const at = world.checkpoint(SHARD);
    return at?.kind === 'at' && at.sequenceNumber === last;
  };
  return { ...tables, quarantine, world, send, isCaughtUp };
}

test('DynamoDB away for two hours: nothing is given up, everything is stored once, no operator is needed', async () => {
  const clock = virtualClock();
  const { world, send, isCaughtUp, eventStore, latestState, quarantine } = pipeline(clock, SETTINGS);
  world.start();
  await clock.run(send());
  await clock.runUntil(isCaughtUp);
  await world.stop();

  // What is given up lies in the bucket under aws/lambda/, for an operator to redrive.
  expect(world.discarded).toEqual([]);
  for (const id of DEVICES) {
    const pages = await Array.fromAsync(eventStore.pages(id));
    expect(pages.map(({ page }) => page)).toEqual(pages.map((_page, index) => index + 1));
    const stored = pages.flatMap(({ events }) => events);
    expect(stored.map(({ event }) => event.identity?.counter)).toEqual(
      Array.from({ length: REPORTS }, (_value, index) => index + 1),
    );
    const state = await latestState.read(id);
    expect(state?.counts).toEqual({ events: REPORTS, duplicates: 0, late: 0, gaps: 0 });
    expect(state?.attributes.get('counter')?.value).toBe(REPORTS);
    expect(state?.page).toBe(pages.length);
  }
  expect(await Array.fromAsync(quarantine.list())).toHaveLength(1);
});
