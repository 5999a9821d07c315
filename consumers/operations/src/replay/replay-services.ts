import {
  activateGeneration,
  GENERATION_FRESH_MS,
  type TableGeneration,
  type TableNames,
} from '@twinstream/table-generation';
import { s3ArchiveObjects } from '@twinstream/verification';
import type { OperationsHost } from '../command/host.ts';
import { writeToReader } from '../output/write-to-reader.ts';
import type { OperationsServices } from '../services.ts';
import { dynamoDbJobStore } from './job-store.ts';
import { projectorMapping } from './projector-mapping.ts';
import type { ReplayJob } from './replay-job.ts';
import type { ReplayPart } from './replay-spec.ts';
import type { ReplayServices } from './run-replay.ts';
import { archiveSource } from './sources/archive-source.ts';
import type { ReplaySource } from './sources/replay-source.ts';
import { streamSource } from './sources/stream-source.ts';

/** How long projectors may go on with a generation that was replaced, with as much again to spare. */
const GENERATION_WAIT_MS = 2 * GENERATION_FRESH_MS;
/** A resume after a failure or an interrupt must not be interrupted itself; but it must end. */
const RESUME_MAPPING_MS = 60_000;

/** The services of a replay over AWS. */
export async function replayServices(
  { services, host }: { readonly services: OperationsServices; readonly host: OperationsHost },
  job: ReplayJob,
  functionTimeoutMs: number,
): Promise<ReplayServices> {
  const { configuration, clock, dynamoDb, quarantine, shardProgress, logger } = services;
  const generation = await services.generation(host.stop);
  return {
    jobs: dynamoDbJobStore(dynamoDb, configuration.operationsTable),
    stores: services.stores(generation),
    fresh: job.spec.tables && services.stores(job.spec.tables),
    quarantine,
    shardProgress,
    streamName: configuration.streamName,
    sourceOf: (source, isPolite) => sourceOf(services, source, isPolite),
    write: (text) => writeToReader(host.stdout, text),
    whilePaused: async (work, next) => {
      const mapping = await mappingOf(services, functionTimeoutMs, host.stop);
      try {
        await mapping.pause(host.stop);
        await work();
        await mapping.requirePaused(host.stop);
        // Also where the tables stay, their id is new: whoever remembers heads of their chains forgets them.
        const tables = next?.tables ?? namesOf(generation);
        const activatedTime = clock.now();
        const active = { ...tables, id: `${job.id}-${activatedTime}`, activatedTime };
        await activateGeneration(dynamoDb, configuration.operationsTable, active, generation.id, host.stop);
        // From here on it is finished, whatever is asked for: half a switch would be worse.
        await clock.sleep(GENERATION_WAIT_MS);
        await next?.settle();
      } finally {
        await mapping.resume(AbortSignal.timeout(RESUME_MAPPING_MS));
      }
    },
    clock,
    logger,
  };
}

function namesOf({ eventsTable, deviceStateTable }: TableGeneration): TableNames {
  return { eventsTable, deviceStateTable };
}

export function mappingOf(
  { lambda: client, configuration, clock }: OperationsServices,
  functionTimeoutMs: number,
  signal: AbortSignal,
) {
  const { projectorFunction: functionName, streamName } = configuration;
  return projectorMapping({ client, functionName, streamName, clock, functionTimeoutMs }, signal);
}

function sourceOf(
  { kinesis, s3, clock, configuration }: OperationsServices,
  source: ReplayPart['source'],
  isPolite: boolean,
): ReplaySource {
  const { streamName, archiveBucket: bucket } = configuration;
  if (source === 'archive') return archiveSource({ objects: s3ArchiveObjects(s3, bucket) });
  return streamSource({ client: kinesis, streamName, clock }, { isPolite });
}
