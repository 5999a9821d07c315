import { fastRequests } from '@twinstream/aws/dynamodb';
import { compileMappings, mappingDecoder, parseMappingText } from '@twinstream/payload-mapping';
import type { KinesisLambdaEvent } from '@twinstream/stream-model';
import type { Benchmark, Figure } from '../benchmark.ts';
import { busFleet } from '../projector-subjects/bus-reports.ts';
import { dynamoDbProjector, type ProjectBatch } from '../projector-subjects/projectors.ts';
import { stubbedDynamoDb } from '../projector-subjects/stub-dynamodb.ts';

const DEVICES = 40;
const EVENTS_PER_DEVICE = 25;
const WARM_UP_ROUNDS = 100;
const ROUNDS = 21;
/** Of the rate without a mapping. */
const SHARE_AT_LEAST = 0.8;
const TABLES = { eventsTable: 'events', deviceStateTable: 'device-state', progressTable: 'shard-progress' };

const COUNTED = '{ session: boot, counter: seq }';

const mappingWith = (speed: string, identity = COUNTED) => `
language: 1
mapping: buses
version: 1
rules:
  - name: report
    when: [{ value: vehicle_id, exists: true }]
    event:
      deviceId: vehicle_id
      time: { path: ts, steps: [{ time: { unit: milliseconds } }] }
      identity: ${identity}
      data:
        merge:
          - { path: $payload, steps: [{ drop: [vehicle_id, ts, boot, seq, speedMph] }] }
          - { object: { speedMph: ${speed} } }
`;
const SUBJECTS = {
  mapped: mappingWith('speedMph'),
  'mapped, with an expression': mappingWith(
    `{ expression: 'if(.speedMph > 100, 100, round(.speedMph, 1))' }`,
  ),
  'mapped, with a key': mappingWith('speedMph', '{ key: { concat: [boot, { const: "." }, seq] } }'),
} as const;

function mappedProjector(text: string): ProjectBatch {
  const document = parseMappingText(text);
  const mapper = 'faults' in document ? document : compileMappings([document]);
  if ('faults' in mapper) throw new Error(JSON.stringify(mapper.faults));
  const { client } = stubbedDynamoDb();
  const services = { decoder: mappingDecoder(mapper) };
  return dynamoDbProjector(client, TABLES, { requests: fastRequests(client), services });
}

/** The same reports as a flat payload, with the time in milliseconds. */
function flattened(batch: KinesisLambdaEvent): KinesisLambdaEvent {
  const Records = batch.Records.map((record) => {
    const event = JSON.parse(Buffer.from(record.kinesis.data, 'base64').toString());
    const { deviceId, time, session, counter, data } = event;
    const flat = { vehicle_id: deviceId, ts: Date.parse(time), boot: session, seq: counter, ...data };
    return {
      ...record,
      kinesis: { ...record.kinesis, data: Buffer.from(JSON.stringify(flat)).toString('base64') },
    };
  });
  return { ...batch, Records };
}

/** Events a second of processor time, of the whole process, collections of garbage included. */
async function measured(project: ProjectBatch, batch: KinesisLambdaEvent): Promise<number> {
  const before = process.cpuUsage();
  await project(batch);
  const { user, system } = process.cpuUsage(before);
  return batch.Records.length / ((user + system) / 1e6);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

async function run(): Promise<readonly Figure[]> {
  const fleet = busFleet();
  const { client } = stubbedDynamoDb();
  const own = dynamoDbProjector(client, TABLES, { requests: fastRequests(client) });
  const projectors = [own, ...Object.values(SUBJECTS).map(mappedProjector)];
  const rates: number[][] = projectors.map(() => []);
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1) {
    const batch = fleet.nextBatch(DEVICES, EVENTS_PER_DEVICE);
    const flat = flattened(batch);
    for (let turn = 0; turn < projectors.length; turn += 1) {
      const index = (turn + round) % projectors.length;
      const project = projectors[index];
      if (project === undefined) continue;
      const rate = await measured(project, project === own ? batch : flat);
      if (round >= WARM_UP_ROUNDS) rates[index]?.push(rate);
    }
  }
  const [unmapped = [], ...mapped] = rates;
  const name = `${EVENTS_PER_DEVICE} events per device and batch`;
  return [
    { name, subject: 'unmapped', value: median(unmapped), unit: 'events/s' },
    ...Object.keys(SUBJECTS).flatMap((subject, index): Figure[] => {
      const own = mapped[index] ?? [];
      const share = median(own.map((rate, round) => rate / (unmapped[round] ?? Number.NaN)));
      return [
        { name, subject, value: median(own), unit: 'events/s' },
        {
          ...{ name, subject: `${subject} / unmapped`, value: share, unit: 'times' },
          ...(index === 0 ? { atLeast: SHARE_AT_LEAST } : {}),
        },
      ];
    }),
  ];
}

const benchmark: Benchmark = {
  name: 'mapping',
  compares:
    'batches of 1,000 bus reports through the whole projector, as events of the own format and as flat payloads through a ' +
    'mapping of 10 members, in turns: events per second of processor time, medians of 21 after 100 to warm up; the network stubbed',
  run,
};

export default benchmark;
