import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { linesOfObject, s3ArchiveObjects } from '@twinstream/verification';
import type { OperationsServices } from '../services.ts';
import { exactly, type PartPlan } from './replay-plan.ts';
import type { ReplayPart } from './replay-spec.ts';

/** Stored bytes of archive objects that are read through; a few seconds. */
const COUNTED_BYTES_MAX = 8 * 1_024 * 1_024;
/** Pages of the event store that are counted by what they say of themselves. */
const COUNTED_PAGES_MAX = 5_000;

/** Counts the lines of the window in the first objects; of the others at most as many a byte as the densest of those. */
export async function planArchive(
  { s3, configuration }: OperationsServices,
  part: ReplayPart,
  signal: AbortSignal,
): Promise<PartPlan> {
  const archive = s3ArchiveObjects(s3, configuration.archiveBucket);
  let [objects, counted, countedBytes, restBytes] = [0, 0, 0, 0];
  let [events, bytes, densest, widest] = [0, 0, 0, 0];
  for await (const object of archive.list({ ...part, signal })) {
    objects += 1;
    if (countedBytes >= COUNTED_BYTES_MAX) {
      restBytes += object.bytes;
      continue;
    }
    counted += 1;
    countedBytes += object.bytes;
    let [lines, characters] = [0, 0];
    // What is foreign is left to the run, which says so.
    for await (const { text, entry } of linesOfObject(archive, object.key, () => undefined, signal)) {
      lines += 1;
      characters += text.length;
      if (entry.arrivalTime < part.fromMs || entry.arrivalTime >= part.toMs) continue;
      events += 1;
      bytes += text.length;
    }
    densest = Math.max(densest, lines / Math.max(1, object.bytes));
    widest = Math.max(widest, characters / Math.max(1, object.bytes));
  }
  const more = Math.ceil(restBytes * densest);
  return {
    ...part,
    events: { min: events, max: events + more },
    bytes: { min: bytes, max: bytes + Math.ceil(restBytes * widest) },
    basis:
      counted === objects
        ? 'counted'
        : `counted in ${counted} of ${objects} objects; the others with at most as many events a byte`,
    shards: [],
  };
}

/** Counts what the first pages say of themselves; of the others at most as many as the fullest of those, by DynamoDB's own count of items. */
export async function planEventStore(
  services: OperationsServices,
  part: ReplayPart,
  signal: AbortSignal,
): Promise<PartPlan> {
  const generation = await services.generation(signal);
  const command = new DescribeTableCommand({ TableName: generation.eventsTable });
  const { Table } = await services.dynamoDb.send(command, { abortSignal: signal });
  const { eventStore } = services.stores(generation);
  let [pages, events, fullest] = [0, 0, 0];
  counting: for await (const deviceId of eventStore.deviceIds(signal)) {
    for await (const summary of eventStore.pageSummaries(deviceId, { signal })) {
      if (pages >= COUNTED_PAGES_MAX) {
        pages += 1;
        break counting;
      }
      pages += 1;
      events += summary.eventCount;
      fullest = Math.max(fullest, summary.eventCount);
    }
  }
  const bytes = exactly(Table?.TableSizeBytes ?? 0);
  if (pages <= COUNTED_PAGES_MAX) {
    return { ...part, events: exactly(events), bytes, basis: 'counted', shards: [] };
  }
  const more = Math.max(1, (Table?.ItemCount ?? 0) - COUNTED_PAGES_MAX) * fullest;
  return {
    ...part,
    events: { min: events, max: events + more },
    bytes,
    basis: `counted in ${COUNTED_PAGES_MAX} pages; at most as many in each other item, which DynamoDB counts up to six hours late`,
    shards: [],
  };
}
