import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { figureValue, planCapacity } from '@twinstream/capacity';
import { createBaselineProjector } from '@twinstream/load/baseline-projector';
import { startDynamoDb } from '@twinstream/local-aws/dynamodb';
import { PROJECTOR_OPTIONS } from '@twinstream/state-projector';
import type { Benchmark, Figure } from '../benchmark.ts';
import { busFleet } from '../projector-subjects/bus-reports.ts';
import { countCapacity } from '../projector-subjects/capacity-count.ts';
import { dynamoDbProjector, measuredItems, requireFinished } from '../projector-subjects/projectors.ts';
import { createProjectorTables } from '../projector-subjects/test-tables.ts';

/** Reports of each device in a batch, and what a page and a state may cost together, per event. */
const SHAPES = [
  { eventsPerDevice: 25, unitsAtMost: 0.08 },
  { eventsPerDevice: 10, unitsAtMost: 0.2 },
  { eventsPerDevice: 1, unitsAtMost: 2 },
] as const;
/** Few devices and many batches, so that snapshots come as often as in a long life. */
const DEVICES = 25;
const WINDOW_SECONDS = 25;
const BATCHES = PROJECTOR_OPTIONS.pagesPerSnapshot;
/** The baseline handler sends all of a batch concurrently, which fails on DynamoDB Local from some hundreds on. */
const BASELINE_DEVICES = 2;
const BASELINE_BATCHES = 3;
/** Snapshots, shard progress and all else that is written, beside pages and states. */
const BESIDES_AT_MOST = 0.05;
const UNIT = 'write units/event';

async function ours(client: DynamoDBClient, { eventsPerDevice, unitsAtMost }: (typeof SHAPES)[number]) {
  const tables = await createProjectorTables(client, `ours-${eventsPerDevice}`);
  const fleet = busFleet();
  let pagesAndStates = 0;
  const project = dynamoDbProjector(client, tables, {
    items: measuredItems(client),
    report: ({ writeUnits }) => {
      pagesAndStates += writeUnits;
    },
  });
  // The first state of a device is created once in its life.
  await project(fleet.nextBatch(DEVICES, eventsPerDevice));
  const firstEvents = fleet.eventCount;
  pagesAndStates = 0;
  const capacity = countCapacity(client);
  for (let batch = 1; batch <= BATCHES; batch += 1) await project(fleet.nextBatch(DEVICES, eventsPerDevice));
  capacity.stop();
  const events = fleet.eventCount - firstEvents;
  const name = `${eventsPerDevice} events per device and batch`;
  const besides = capacity.writeUnits() - pagesAndStates;
  const subject = 'twinstream';
  const figures: Figure[] = [
    {
      name: `${name}, pages and states`,
      subject,
      value: pagesAndStates / events,
      unit: UNIT,
      atMost: unitsAtMost,
      note: `${fleet.eventBytes.toFixed(0)} bytes an event`,
    },
    {
      name: `${name}, everything besides`,
      subject,
      value: besides / pagesAndStates,
      unit: 'of that',
      atMost: BESIDES_AT_MOST,
      note: `snapshot every ${PROJECTOR_OPTIONS.pagesPerSnapshot} pages, progress every batch of ${DEVICES} devices`,
    },
    {
      name: `${name}, all writes`,
      subject,
      value: capacity.writeUnits() / events,
      unit: UNIT,
    },
    {
      name: `${name}, all writes`,
      subject: 'planned',
      value: plannedUnits(eventsPerDevice, fleet.eventBytes),
      unit: UNIT,
      note: 'by the formula of `npm run ops -- plan`',
    },
    {
      name: `${name}, reads`,
      subject,
      value: capacity.readUnits() / events,
      unit: 'read units/event',
      note: 'for snapshots; devices are known',
    },
  ];
  return figures;
}

/** Of the same load: each device sends that often in the window of a batch. */
function plannedUnits(eventsPerDevice: number, eventBytes: number): number {
  const { twinstream } = planCapacity({
    deviceCount: DEVICES,
    eventsPerSecondPerDevice: eventsPerDevice / WINDOW_SECONDS,
    eventBytes,
    windowSeconds: WINDOW_SECONDS,
  });
  return figureValue(twinstream, 'writeUnitsPerEvent');
}

async function baseline(client: DynamoDBClient, { eventsPerDevice }: (typeof SHAPES)[number]) {
  const tables = await createProjectorTables(client, `baseline-${eventsPerDevice}`);
  const fleet = busFleet();
  let units = 0;
  const project = createBaselineProjector(client, {
    ...tables,
    onWriteUnits: (more) => {
      units += more;
    },
  });
  const next = async () => requireFinished(await project(fleet.nextBatch(BASELINE_DEVICES, eventsPerDevice)));
  await next();
  const firstEvents = fleet.eventCount;
  units = 0;
  for (let batch = 1; batch <= BASELINE_BATCHES; batch += 1) await next();
  return {
    name: `${eventsPerDevice} events per device and batch`,
    subject: 'baseline',
    value: units / (fleet.eventCount - firstEvents),
    unit: UNIT,
  };
}

const benchmark: Benchmark = {
  name: 'write-units',
  compares:
    'what DynamoDB Local 3.3 charges (ConsumedCapacity) for bus reports of 171 bytes with sequence numbers of 56 digits, a ' +
    'record each: pages, states, and all else that the projector writes, and the baseline handler’s put and update',
  run: async () => {
    const engine = await startDynamoDb({ engine: 'java' });
    const client = dynamoDbClient({
      endpoint: engine.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    try {
      const figures: Figure[] = [];
      for (const shape of SHAPES) {
        figures.push(...(await ours(client, shape)), await baseline(client, shape));
      }
      return figures;
    } finally {
      client.destroy();
      await engine.close();
    }
  },
};

export default benchmark;
