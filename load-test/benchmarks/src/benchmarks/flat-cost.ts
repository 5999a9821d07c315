import { dynamoDbClient, fastRequests } from '@twinstream/aws/dynamodb';
import { type DeviceState, deviceId, FOLD_VERSION, foldPage, newDevice } from '@twinstream/device-model';
import { type EventStore, memoryEventStore } from '@twinstream/event-store';
import {
  dynamoDbLatestStateTable,
  type LatestStateTable,
  memoryLatestStateTable,
} from '@twinstream/latest-state';
import { startDynamoDb } from '@twinstream/local-aws/dynamodb';
import { PROJECTOR_OPTIONS } from '@twinstream/state-projector';
import type { Benchmark, Figure } from '../benchmark.ts';
import { type BusFleet, busFleet } from '../projector-subjects/bus-reports.ts';
import {
  dynamoDbProjector,
  measuredItems,
  memoryProjector,
  type ProjectBatch,
} from '../projector-subjects/projectors.ts';
import { stubbedDynamoDb } from '../projector-subjects/stub-dynamodb.ts';
import { createProjectorTables } from '../projector-subjects/test-tables.ts';

const EVENTS_PER_DEVICE = 25;
const DEVICES_PER_BATCH = 40;
const FLEETS = [1_000, 1_000_000] as const;
const HISTORIES = [100, 1_000_000] as const;
const WARM_UP_ROUNDS = 10;
const ROUNDS = 41;
/** The one device's batches are small: this many make one measurement. */
const BATCHES_PER_ROUND = 20;
const PRICED_BATCHES = 20;
/** Whatever grows, cost may not by more than this. */
const SHARE_AT_LEAST = 0.9;
const SHARE_AT_MOST = 1.1;
const TABLES = { eventsTable: 'events', deviceStateTable: 'device-state', progressTable: 'shard-progress' };

const perEvent = `${EVENTS_PER_DEVICE} events per device and batch`;

interface Size {
  readonly project: ProjectBatch;
  readonly next: () => ReturnType<BusFleet['nextBatch']>;
  readonly batches: number;
}

/** Events a second of processor time of sizes that take turns, medians. */
async function rates(sizes: readonly Size[]): Promise<readonly number[]> {
  const measured = sizes.map((): number[] => []);
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1) {
    for (const [index, { project, next, batches }] of sizes.entries()) {
      const made = Array.from({ length: batches }, next);
      const before = process.cpuUsage();
      for (const batch of made) await project(batch);
      const { user, system } = process.cpuUsage(before);
      const events = made.reduce((sum, { Records }) => sum + Records.length, 0);
      if (round >= WARM_UP_ROUNDS) measured[index]?.push(events / ((user + system) / 1e6));
    }
  }
  return measured.map((values) => values.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0);
}

/** The state of a bus that has sent its first report and one page of others. */
async function knownBus(): Promise<DeviceState> {
  const latestState = memoryLatestStateTable();
  const project = memoryProjector({ services: { latestState } });
  const fleet = busFleet();
  for (const events of [1, EVENTS_PER_DEVICE]) await project(fleet.nextBatch(1, events));
  const state = await latestState.read(deviceId('bus-0'));
  if (state === undefined) throw new Error('the first bus has no state');
  return state;
}

/** A fleet of that many devices, all known to the table, that takes turns in batches. States share what is equal in them. */
async function fleetOf(devices: number, known: DeviceState): Promise<Size> {
  const latestState = memoryLatestStateTable();
  for (let index = 0; index < devices; index += 1) {
    await latestState.write({ ...known, deviceId: deviceId(`bus-${index}`) });
  }
  const fleet = busFleet(2, 1 + EVENTS_PER_DEVICE);
  let turn = 0;
  const next = () => {
    const first = (turn * DEVICES_PER_BATCH) % devices;
    turn += 1;
    return fleet.nextBatch(DEVICES_PER_BATCH, EVENTS_PER_DEVICE, first);
  };
  // Batches of a large fleet begin anywhere in it.
  turn = Math.floor(devices / DEVICES_PER_BATCH / 2);
  return { project: memoryProjector({ services: { latestState } }), next, batches: 1 };
}

/** Stores of one device that has sent so many events, in pages like those that follow, with its latest snapshot. */
async function storesAfter(events: number): Promise<{
  readonly eventStore: EventStore;
  readonly latestState: LatestStateTable;
  readonly state: DeviceState;
}> {
  const id = deviceId('bus-0');
  const source = memoryEventStore();
  await memoryProjector({ services: { eventStore: source } })(busFleet().nextBatch(1, EVENTS_PER_DEVICE));
  const [page] = await Array.fromAsync(source.pages(id));
  if (page === undefined) throw new Error('the first bus has no page');
  const eventStore = memoryEventStore();
  const latestState = memoryLatestStateTable();
  let state: DeviceState = newDevice(id);
  for (let first = 1; first <= events; first += EVENTS_PER_DEVICE) {
    const stored = page.events.map((each, index) => {
      const identity = { session: 3, counter: 1_000 + first + index };
      return {
        ...each,
        event: { ...each.event, identity },
        version: { ...identity, ordinal: 0, revision: 0 },
      };
    });
    const next = { ...page, events: stored, page: state.page + 1, arrivalMaxBefore: state.arrivalMax };
    await eventStore.appendPage(next);
    state = foldPage(state, next);
    if (state.page % PROJECTOR_OPTIONS.pagesPerSnapshot === 0) {
      await eventStore.putSnapshot({
        foldVersion: FOLD_VERSION,
        state,
        receipts: state.receipts,
        eventTimeMax: page.lastArrivalTime,
      });
    }
  }
  await latestState.write(state);
  return { eventStore, latestState, state };
}

async function deviceWith(events: number): Promise<Size & { readonly state: DeviceState }> {
  const { state, ...services } = await storesAfter(events);
  const fleet = busFleet(3, events);
  return {
    state,
    project: memoryProjector({ services }),
    next: () => fleet.nextBatch(1, EVENTS_PER_DEVICE),
    batches: BATCHES_PER_ROUND,
  };
}

/** Write units an event, as DynamoDB Local charges pages and states of devices that the table knows. */
async function priced(states: readonly (readonly [DeviceState, number])[]): Promise<readonly number[]> {
  const engine = await startDynamoDb({ engine: 'java' });
  const client = dynamoDbClient({
    endpoint: engine.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  try {
    const prices: number[] = [];
    for (const [index, [state, eventsBefore]] of states.entries()) {
      const tables = await createProjectorTables(client, `size-${index}`);
      await dynamoDbLatestStateTable(client, { tableName: tables.deviceStateTable }).write(state);
      let units = 0;
      const project = dynamoDbProjector(client, tables, {
        items: measuredItems(client),
        report: ({ writeUnits }) => {
          units += writeUnits;
        },
      });
      const fleet = busFleet(4, eventsBefore);
      const bus = Number(state.deviceId.slice('bus-'.length));
      for (let batch = 0; batch < PRICED_BATCHES; batch += 1) {
        await project(fleet.nextBatch(1, EVENTS_PER_DEVICE, bus));
      }
      prices.push(units / fleet.eventCount);
    }
    return prices;
  } finally {
    client.destroy();
    await engine.close();
  }
}

function figures(what: string, unit: string, sizes: readonly string[], values: readonly number[]): Figure[] {
  const [small = Number.NaN, large = Number.NaN] = values;
  return [
    ...sizes.map((size, index) => ({
      name: `${what}, ${perEvent}`,
      subject: size,
      value: values[index] ?? Number.NaN,
      unit,
    })),
    {
      name: `${what}, large to small`,
      subject: 'twinstream',
      value: large / small,
      unit: 'of it',
      ...(unit === 'events/s' ? { atLeast: SHARE_AT_LEAST } : { atMost: SHARE_AT_MOST }),
    },
  ];
}

const benchmark: Benchmark = {
  name: 'flat-cost',
  compares:
    'the projector with a small fleet and a large one, and with a device of short and of long history: events per second ' +
    'of processor time on stores in memory, in turns, and the write units that DynamoDB Local 3.3 charges; a large fleet’s ' +
    `devices are not in the projector’s memory (${PROJECTOR_OPTIONS.headsMax} are at most) and are read, which is free here; ` +
    'what such a read costs through the SDK is measured apart',
  run: async () => {
    const known = await knownBus();
    const fleets = FLEETS.map((devices) => `${devices.toLocaleString('en-US')} devices`);
    const histories = HISTORIES.map((events) => `${events.toLocaleString('en-US')} stored events`);
    const fleetRates = await rates(await Promise.all(FLEETS.map((devices) => fleetOf(devices, known))));
    const devices = await Promise.all(HISTORIES.map(deviceWith));
    const historyRates = await rates(devices);
    const lastBus = (count: number): DeviceState => ({ ...known, deviceId: deviceId(`bus-${count - 1}`) });
    const states = [
      ...FLEETS.map((count) => [lastBus(count), 1 + EVENTS_PER_DEVICE] as const),
      // The states of the measured devices as they began.
      ...devices.map(({ state }, index) => [state, HISTORIES[index] ?? 0] as const),
    ];
    const prices = await priced(states);
    const fleet = busFleet();
    const batch = () => fleet.nextBatch(DEVICES_PER_BATCH, EVENTS_PER_DEVICE);
    const throughSdk = (headsMax: number): Size => {
      const { client } = stubbedDynamoDb();
      const requests = fastRequests(client);
      return {
        project: dynamoDbProjector(client, TABLES, { requests, options: { headsMax } }),
        next: batch,
        batches: 1,
      };
    };
    const [inMemory = 0, notInMemory = 0] = await rates([
      throughSdk(PROJECTOR_OPTIONS.headsMax),
      throughSdk(1),
    ]);
    const sdk = { name: `through the SDK, network stubbed, ${perEvent}`, unit: 'events/s' };
    return [
      ...figures('rate', 'events/s', fleets, fleetRates),
      ...figures('price', 'write units/event', fleets, prices.slice(0, 2)),
      ...figures('rate', 'events/s', histories, historyRates),
      ...figures('price', 'write units/event', histories, prices.slice(2)),
      { ...sdk, subject: 'devices in memory', value: inMemory },
      { ...sdk, subject: 'devices read, each once a batch', value: notInMemory },
    ];
  },
};

export default benchmark;
