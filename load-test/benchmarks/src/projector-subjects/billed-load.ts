import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createBaselineProjector } from '@twinstream/load/baseline-projector';
import { countCapacity } from './capacity-count.ts';
import { dynamoDbProjector, measuredItems, type ProjectBatch, requireFinished } from './projectors.ts';
import { sizedFleet } from './sized-reports.ts';
import { createProjectorTables } from './test-tables.ts';

/** Batches of one shard, each with as many events of each device as another. */
export interface BilledLoad {
  readonly design: 'twinstream' | 'baseline';
  readonly deviceCount: number;
  readonly eventsPerDevice: number;
  readonly eventBytes: number;
  /** Between two batches. */
  readonly windowSeconds: number;
  readonly batchCount: number;
  readonly seed: number;
}

/** What DynamoDB bills for a load, everything written included, and for how many events of how many bytes. */
export interface Bill {
  readonly writeUnitsPerEvent: number;
  readonly eventBytes: number;
}

/** The first two reports of a device create its state and its readings: each once in the life of a device. */
const FIRST_BATCHES = 2;

/** Projects a load into new tables, and reads the bill: the consumed capacity of every write. */
export async function billLoad(client: DynamoDBClient, name: string, load: BilledLoad): Promise<Bill> {
  const { deviceCount, eventsPerDevice, batchCount, eventBytes, windowSeconds, seed } = load;
  const subject = await billedSubject(client, name, load.design);
  const fleet = sizedFleet({ eventBytes, seed });
  const batchOf = (events: number) =>
    fleet.nextBatch(
      Array.from({ length: deviceCount }, () => events),
      windowSeconds * 1_000,
    );
  try {
    for (let batch = 0; batch < FIRST_BATCHES; batch += 1) await subject.project(batchOf(1));
    const [events, bytes, units] = [fleet.eventCount, fleet.byteCount, subject.writeUnits()];
    for (let batch = 0; batch < batchCount; batch += 1) await subject.project(batchOf(eventsPerDevice));
    const billedEvents = fleet.eventCount - events;
    return {
      writeUnitsPerEvent: (subject.writeUnits() - units) / billedEvents,
      eventBytes: (fleet.byteCount - bytes) / billedEvents,
    };
  } finally {
    subject.stop();
  }
}

interface BilledSubject {
  readonly project: ProjectBatch;
  readonly writeUnits: () => number;
  stop(): void;
}

/** Our projector's bill is that of its client; the baseline's failed conditions, whose answers name no price, are added by its subject. */
async function billedSubject(
  client: DynamoDBClient,
  name: string,
  design: BilledLoad['design'],
): Promise<BilledSubject> {
  const tables = await createProjectorTables(client, name);
  if (design === 'twinstream') {
    const { writeUnits, stop } = countCapacity(client);
    return { project: dynamoDbProjector(client, tables, { items: measuredItems(client) }), writeUnits, stop };
  }
  let units = 0;
  const baseline = createBaselineProjector(client, {
    ...tables,
    onWriteUnits: (more) => {
      units += more;
    },
  });
  return {
    project: async (batch) => requireFinished(await baseline(batch)),
    writeUnits: () => units,
    stop: () => undefined,
  };
}
