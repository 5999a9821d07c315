import { fastRequests } from '@twinstream/aws/dynamodb';
import { createBaselineProjector } from '@twinstream/load/baseline-projector';
import type { Benchmark, Figure } from '../benchmark.ts';
import { busFleet } from '../projector-subjects/bus-reports.ts';
import {
  dynamoDbProjector,
  memoryProjector,
  type ProjectBatch,
  requireFinished,
} from '../projector-subjects/projectors.ts';
import { stubbedDynamoDb, stubbedPlainDynamoDb } from '../projector-subjects/stub-dynamodb.ts';

/**
 * How many reports of each device a batch holds, how many times the baseline handler's events ours must take, and how
 * many events a second.
 */
const SHAPES = [
  { eventsPerDevice: 25, devices: 40, timesAtLeast: 20, fastAtLeast: 50_000, memoryAtLeast: 100_000 },
  { eventsPerDevice: 10, devices: 100, timesAtLeast: 10 },
  { eventsPerDevice: 1, devices: 1_000, timesAtLeast: 5, fastAtLeast: 30_000 },
] as const;
/**
 * A container of a stream with load lives for hours. The code is compiled for good after some thousands of requests: ours,
 * with a hundredth of the requests of the baseline, has made them after a hundred batches.
 */
const WARM_UP_ROUNDS = 100;
const ROUNDS = 21;
/** A batch takes the slow ones a second: they take part in every third measured round, and in a few to warm up. */
const SLOW_SUBJECTS: readonly string[] = ['baseline', 'whole'];
const SLOW_WARM_UP_ROUNDS = 3;
const SLOW_EVERY = 3;
const TABLES = { eventsTable: 'events', deviceStateTable: 'device-state', progressTable: 'shard-progress' };

/** `whole` is the projector with the SDK's client as it comes, without the fast path of `shared/aws`. */
const SUBJECTS = ['baseline', 'twinstream', 'whole', 'memory'] as const;

interface Subject {
  readonly name: (typeof SUBJECTS)[number];
  readonly project: ProjectBatch;
  /** By the round in which it was measured. */
  readonly eventsASecond: Map<number, number>;
}

function takesPart({ name }: Subject, round: number): boolean {
  if (!SLOW_SUBJECTS.includes(name)) return true;
  return round < WARM_UP_ROUNDS ? round < SLOW_WARM_UP_ROUNDS : (round - WARM_UP_ROUNDS) % SLOW_EVERY === 0;
}

/** Events a second of processor time, of the whole process, collections of garbage included. */
async function measured(subject: Subject, batch: Parameters<ProjectBatch>[0]): Promise<number> {
  const before = process.cpuUsage();
  await subject.project(batch);
  const { user, system } = process.cpuUsage(before);
  return batch.Records.length / ((user + system) / 1e6);
}

function subjectsOf(): readonly Subject[] {
  const { client } = stubbedDynamoDb();
  const baseline = createBaselineProjector(stubbedPlainDynamoDb().client, TABLES);
  const project: Readonly<Record<Subject['name'], ProjectBatch>> = {
    baseline: async (batch) => requireFinished(await baseline(batch)),
    twinstream: dynamoDbProjector(client, TABLES, { requests: fastRequests(client) }),
    whole: dynamoDbProjector(stubbedPlainDynamoDb().client, TABLES),
    memory: memoryProjector(),
  };
  return SUBJECTS.map((name) => ({ name, project: project[name], eventsASecond: new Map() }));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

async function figuresOf(shape: (typeof SHAPES)[number]): Promise<Figure[]> {
  const { eventsPerDevice, devices, timesAtLeast } = shape;
  const fleet = busFleet();
  const subjects = subjectsOf();
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1) {
    const batch = fleet.nextBatch(devices, eventsPerDevice);
    // Each round begins with another, so that none has always the same one's garbage before it.
    for (let turn = 0; turn < subjects.length; turn += 1) {
      const subject = subjects[(turn + round) % subjects.length];
      if (subject === undefined || !takesPart(subject, round)) continue;
      const rate = await measured(subject, batch);
      if (round >= WARM_UP_ROUNDS) subject.eventsASecond.set(round, rate);
    }
  }
  const ratesOf = (wanted: Subject['name']) =>
    subjects.find((subject) => subject.name === wanted)?.eventsASecond ?? new Map<number, number>();
  const [baseline, twinstream] = [ratesOf('baseline'), ratesOf('twinstream')];
  const name = `${eventsPerDevice} events per device and batch`;
  const unit = 'events/s';
  const times = median([...baseline].map(([round, rate]) => (twinstream.get(round) ?? Number.NaN) / rate));
  return [
    {
      name,
      subject: 'baseline',
      value: median([...baseline.values()]),
      unit,
      note: 'through the SDK, answered immediately',
    },
    {
      name,
      subject: 'twinstream',
      value: median([...twinstream.values()]),
      unit,
      ...('fastAtLeast' in shape ? { atLeast: shape.fastAtLeast } : {}),
      note: 'through the SDK, answered immediately, on the fast path',
    },
    {
      name,
      subject: 'twinstream',
      value: median([...ratesOf('whole').values()]),
      unit,
      note: 'the same on the whole path of the SDK',
    },
    { name, subject: 'twinstream / baseline', value: times, unit: 'times', atLeast: timesAtLeast },
    {
      name,
      subject: 'twinstream',
      value: median([...ratesOf('memory').values()]),
      unit,
      ...('memoryAtLeast' in shape ? { atLeast: shape.memoryAtLeast } : {}),
      note: 'on stores in memory',
    },
  ];
}

const benchmark: Benchmark = {
  name: 'state-projector',
  compares:
    'batches of 1,000 bus reports (171 bytes, a record each) through the whole handler, and through the baseline ' +
    '(Powertools batch, one conditional put and one conditional update per event), in turns: events per second of ' +
    'processor time, medians of 21 after 100 to warm up (through the SDK 7 after 3); devices known from batches before, the network stubbed',
  run: async () => {
    const figures: Figure[] = [];
    for (const shape of SHAPES) figures.push(...(await figuresOf(shape)));
    return figures;
  },
};

export default benchmark;
