import { type DeviceId, type DeviceState, deviceId, type EventPage } from '@twinstream/device-model';
import { memoryEventStore } from '@twinstream/event-store';
import { memoryLatestStateTable } from '@twinstream/latest-state';
import { PAGE_WRITING } from '@twinstream/pipeline-settings';
import { HeadCache, openBatch, projectDevice } from '@twinstream/projection';
import { type DeadLetter, memoryQuarantine } from '@twinstream/quarantine';
import { createLogger, systemClock } from '@twinstream/runtime';
import {
  archiveLines,
  compareWithinShard,
  encodeAggregate,
  type Position,
  type ShardId,
  type StreamRecord,
  sequenceNumber,
  shardId,
} from '@twinstream/stream-model';
import {
  type ArchiveComparisonOptions,
  type ArchiveReport,
  archiveComparison,
  type Difference,
  memoryArchiveObjects,
  verifyDevices,
} from '@twinstream/verification';

const LINE_BYTES_MAX = 1_024_000;
const START_TIME = Date.parse('2026-11-23T08:00:00Z');
const LOGGER = createLogger('test', 'silent');
const { signal } = new AbortController();
export const SHARDS = [shardId('shardId-000000000000'), shardId('shardId-000000000001')] as const;
const PROJECTOR = 'state-projector';

/** Everything that a pipeline keeps, as values that a test may damage. */
export interface ArchivedPipeline {
  /** Lines of the archive by object. */
  readonly archive: ReadonlyMap<string, readonly string[]>;
  /** Objects of the archive that are no GZIP files. */
  readonly foreignObjects: readonly string[];
  readonly pages: ReadonlyMap<DeviceId, readonly EventPage[]>;
  readonly states: ReadonlyMap<DeviceId, DeviceState>;
  readonly letters: readonly DeadLetter[];
  readonly givenUp: readonly { readonly key: string; readonly text: string }[];
  /** By shard: the last finished record. */
  readonly progress: ReadonlyMap<ShardId, string>;
}

let number = 0;
function recordOf(data: Uint8Array | string, partitionKey: string): StreamRecord {
  number += 1;
  return {
    sequenceNumber: sequenceNumber(String(10_000_000 + number)),
    partitionKey,
    arrivalTime: START_TIME + number * 1_000,
    data: Buffer.from(data),
  };
}

function eventText(id: string, more: object): string {
  const time = '2026-11-23T08:00:00.000Z';
  return `${JSON.stringify({ v: 1, deviceId: id, type: 'reported', time, data: { speed: number }, ...more })}\n`;
}

const counted = (id: string, counter: number) => recordOf(eventText(id, { session: 1, counter }), id);
const uncounted = (id: string) => recordOf(eventText(id, { note: 'a\u2028b' }), id);
const correction = (correctionId: string) =>
  recordOf(
    eventText('bus-0', {
      type: 'corrected',
      correctionId,
      reason: 'x',
      actor: 'y',
      corrects: { session: 1, counter: 2 },
    }),
    'bus-0',
  );
const invalid = (id: string, text = '{"v":1') => recordOf(text, id);

/** The whole of a pipeline, with everything that may happen to an event. */
export async function archivedPipeline(): Promise<ArchivedPipeline> {
  number = 0;
  const entry = (id: string, text: string) => ({ partitionKey: id, data: Buffer.from(text) });
  const first = [
    ...[1, 2, 3, 5].map((counter) => counted('bus-0', counter)),
    ...[1, 2].map((counter) => counted('bus-1', counter)),
    uncounted('bus-2'),
    uncounted('bus-2'),
    invalid('bus-1'),
    recordOf(
      encodeAggregate([
        entry('bus-3', eventText('bus-3', { session: 1, counter: 1 })),
        entry('bus-3', 'hello'),
        entry('bus-3', eventText('bus-3', { session: 1, counter: 2 })),
      ]),
      'lane-1',
    ),
    // Redriven, and discarded.
    invalid('bus-1', eventText('bus-1', { session: 1, counter: 9 }).replace('"v":1,', '')),
    invalid('bus-1', '[]'),
    // The sender was not answered.
    counted('bus-0', 5),
  ];
  const second = [
    // After a reshard: copies, one that was late, and a correction that was sent twice.
    ...[5, 4, 6].map((counter) => counted('bus-0', counter)),
    correction('c-1'),
    correction('c-1'),
    uncounted('bus-2'),
  ];
  const givenUp = [counted('bus-1', 3), counted('bus-lost', 1), invalid('bus-lost')];
  const inFlight = [counted('bus-0', 7), counted('bus-new', 1), invalid('bus-new')];
  const records = new Map([
    [SHARDS[0], first],
    [SHARDS[1], second],
  ]);
  const stores = { eventStore: memoryEventStore(), latestState: memoryLatestStateTable() };
  const services = { ...stores, logger: LOGGER, ...PAGE_WRITING };
  const quarantine = memoryQuarantine();
  for (const [shard, all] of records) {
    for (let at = 0; at < all.length; at += 2) {
      const opened = openBatch({
        streamName: 'device-events',
        shardId: shard,
        records: all.slice(at, at + 2),
      });
      for (const record of opened.poison) await quarantine.put(record);
      for (const batch of opened.devices) {
        await projectDevice({ ...services, heads: new HeadCache(0) }, batch, signal);
      }
    }
  }
  await resolve(quarantine, services);
  const archived = [
    [SHARDS[0], first],
    [SHARDS[1], [...second, ...givenUp, ...inFlight]],
  ] as const;
  return {
    archive: new Map(
      archived.map(([shard, all], index) => [
        `archive/${index}.gz`,
        all.flatMap((record) => linesOf(shard, record)),
      ]),
    ),
    foreignObjects: [],
    ...(await contentOf(stores)),
    letters: await Array.fromAsync(quarantine.contents()),
    givenUp: [{ key: 'aws/lambda/projector/1', text: givenUpText(PROJECTOR, SHARDS[1], givenUp) }],
    progress: new Map([
      [SHARDS[0], first.at(-1)?.sequenceNumber ?? ''],
      [SHARDS[1], givenUp.at(-1)?.sequenceNumber ?? ''],
    ]),
  };
}

async function resolve(
  quarantine: ReturnType<typeof memoryQuarantine>,
  services: Omit<Parameters<typeof projectDevice>[0], 'heads'>,
): Promise<void> {
  for await (const { key } of quarantine.list()) {
    const record = await quarantine.read(key);
    const text = record === undefined ? '' : Buffer.from(record.data).toString();
    const resolution = { time: new Date(START_TIME).toISOString(), reason: 'x', actor: 'y' };
    if (text === '[]') await quarantine.resolve(key, { ...resolution, outcome: 'discarded', events: [] });
    if (record === undefined || !text.includes('"counter":9')) continue;
    const repaired = text.replace('{', '{"v":1,');
    const events = [{ subSequenceNumber: 0, text: repaired.trim() }];
    const [batch] = openBatch({
      streamName: 'device-events',
      shardId: record.shardId,
      records: [{ ...record, data: Buffer.from(repaired) }],
    }).devices;
    if (batch === undefined) throw new TypeError('the repaired event is none');
    await projectDevice({ ...services, heads: new HeadCache(0), repaired: true }, batch, signal);
    await quarantine.resolve(key, { ...resolution, outcome: 'redriven', events });
  }
}

export async function contentOf({
  eventStore,
  latestState,
}: {
  eventStore: ReturnType<typeof memoryEventStore>;
  latestState: ReturnType<typeof memoryLatestStateTable>;
}) {
  const pages = new Map<DeviceId, readonly EventPage[]>();
  const states = new Map<DeviceId, DeviceState>();
  for await (const id of eventStore.deviceIds()) {
    pages.set(id, await Array.fromAsync(eventStore.pages(id)));
    const state = await latestState.read(id);
    if (state !== undefined) states.set(id, state);
  }
  return { pages, states };
}

export function linesOf(shard: ShardId, record: StreamRecord): string[] {
  return [...archiveLines(shard, record, LINE_BYTES_MAX)].map(({ binary }) =>
    Buffer.from(binary, 'latin1').toString('utf8').slice(0, -1),
  );
}

/** The document of a batch that a mapping gave up, as Lambda writes it. */
export function givenUpText(functionName: string, shard: ShardId, records: readonly StreamRecord[]): string {
  const Records = records.map((record) => ({
    kinesis: {
      partitionKey: record.partitionKey,
      sequenceNumber: record.sequenceNumber,
      data: Buffer.from(record.data).toString('base64'),
    },
  }));
  return JSON.stringify({
    requestContext: { functionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}` },
    KinesisBatchInfo: { shardId: shard, batchSize: records.length },
    payload: JSON.stringify({ Records }),
  });
}

/** How a verification of a pipeline is made. */
export type VerificationChanges = Partial<
  Pick<
    ArchiveComparisonOptions,
    'decoders' | 'devices' | 'isForeignSkipped' | 'dueBefore' | 'startTime' | 'runCharactersMax'
  >
>;

/** Verifies a pipeline: differences as `kind device subject`, and the report on the archive. */
export async function verified(
  pipeline: ArchivedPipeline,
  changes: VerificationChanges = {},
): Promise<{ readonly differences: readonly string[]; readonly report: ArchiveReport }> {
  const objects = memoryArchiveObjects();
  for (const [key, lines] of pipeline.archive) objects.put(key, lines);
  for (const key of pipeline.foreignObjects) objects.putBytes(key, Buffer.from('hello'));
  const [eventStore, latestState] = [memoryEventStore(), memoryLatestStateTable()];
  for (const page of [...pipeline.pages.values()].flat()) await eventStore.appendPage(page);
  for (const state of pipeline.states.values()) await latestState.write(state);
  const isFinished = ({ shardId: shard, ...place }: Position) => {
    const last = pipeline.progress.get(shard);
    const bound = { sequenceNumber: sequenceNumber(last ?? '0'), subSequenceNumber: Number.MAX_SAFE_INTEGER };
    return compareWithinShard(place, bound) <= 0;
  };
  const comparison = await archiveComparison({
    objects,
    quarantine: {
      contents: async function* () {
        yield* pipeline.letters;
      },
    },
    givenUp: {
      texts: async function* () {
        yield* pipeline.givenUp;
      },
    },
    // As the stacks name it: by its alias.
    projectorFunction: `${PROJECTOR}:live`,
    isFinished,
    dueBefore: Number.MAX_SAFE_INTEGER,
    startTime: START_TIME + 1,
    signal,
    ...changes,
  });
  const ids =
    changes.devices === undefined
      ? [...new Set([...pipeline.pages.keys(), ...pipeline.states.keys()])]
      : [...changes.devices].map((id) => deviceId(id));
  const clock = { ...systemClock, sleep: async () => undefined };
  const { differences } = await verifyDevices({ eventStore, latestState }, ids, {
    clock,
    onEvent: comparison.onEvent,
    onDevice: comparison.onDevice,
  });
  const report = await comparison.finish();
  const text = ({ kind, deviceId: id, subject }: Difference) => `${kind} ${id} ${subject}`;
  return { differences: [...differences, ...report.differences].map(text).sort(), report };
}
