import { durationText, refusal, writeToReader } from '@twinstream/command-line';
import {
  activateGeneration,
  GENERATION_FRESH_MS,
  type TableGeneration,
  type TableNames,
} from '@twinstream/table-generation';
import {
  type ForeignPart,
  type ForeignTally,
  foreignError,
  noteForeign,
  type OnForeign,
  s3ArchiveObjects,
} from '@twinstream/verification';
import type { OperationsHost } from '../command/command-context.ts';
import type { OperationsServices } from '../services.ts';
import { CHECKPOINT_MS } from './checkpointing.ts';
import { dynamoDbJobStore } from './job-store.ts';
import { projectorMapping } from './projector-mapping.ts';
import type { ReplayJob } from './replay-job.ts';
import type { ReplayServices } from './replay-run.ts';
import type { ReplayPart, ReplaySpec } from './replay-spec.ts';
import { archiveSource } from './sources/archive-source.ts';
import type { ReplaySource } from './sources/replay-source.ts';
import { streamSource } from './sources/stream-source.ts';

/** How long projectors may go on with a generation that was replaced, with as much again to spare. */
export const GENERATION_WAIT_MS = 2 * GENERATION_FRESH_MS;
/** A resume after a failure or an interrupt must not be interrupted itself; but it must end. */
const RESUME_MAPPING_MS = 60_000;

/** The services of a replay over AWS. */
export async function replayServices(
  { services, host }: { readonly services: OperationsServices; readonly host: OperationsHost },
  job: ReplayJob,
  functionTimeoutMs: number,
  onWait: (what: string | undefined) => void = () => undefined,
): Promise<ReplayServices> {
  const { configuration, clock, dynamoDb, quarantine, shardProgress, logger } = services;
  const generation = await services.generation(host.stop);
  const [decoder] = await services.decoders(job.spec.mapping, host.folder);
  return {
    decoder,
    jobs: dynamoDbJobStore(dynamoDb, configuration.operationsTable),
    stores: services.stores(generation),
    fresh: job.spec.tables && services.stores(job.spec.tables),
    quarantine,
    shardProgress,
    streamName: configuration.streamName,
    sourceOf: (source, isPolite) => sourceOfJob(services, job, source, isPolite),
    write: (text) => writeToReader(host.stdout, text),
    whilePaused: async (work, next) => {
      const mapping = await mappingOf(services, functionTimeoutMs, host.stop, onWait);
      try {
        await mapping.pause(host.stop);
        onWait(undefined);
        await work();
        await mapping.requirePaused(host.stop);
        // Also where the tables stay, their id is new: projectors that cached heads of their chains drop them.
        const tables = next?.tables ?? tablesOf(generation);
        await putIntoUse(services, job, { previous: generation, tables, signal: host.stop }, onWait);
        await next?.settle();
      } finally {
        await mapping.resume(AbortSignal.timeout(RESUME_MAPPING_MS));
        onWait(undefined);
        delete job.pause;
      }
    },
    pageWriting: configuration.pageWriting,
    heartbeatMs: CHECKPOINT_MS,
    clock,
    logger,
  };
}

/** The tables of a generation, without its id. */
export function tablesOf({ eventsTable, deviceStateTable }: TableNames): TableNames {
  return { eventsTable, deviceStateTable };
}

interface NextInUse {
  readonly previous: TableGeneration;
  readonly tables: TableNames;
  readonly signal: AbortSignal;
}

/** Makes the tables those in use, under a new id, and waits until everybody knows of it. Once begun it is finished: half a switch would be worse. */
async function putIntoUse(
  { dynamoDb, configuration, clock }: OperationsServices,
  { id }: ReplayJob,
  { previous, tables, signal }: NextInUse,
  onWait: (what: string) => void,
): Promise<void> {
  const activatedTime = clock.now();
  const active = { ...tables, id: `${id}-${activatedTime}`, activatedTime };
  await activateGeneration(dynamoDb, configuration.operationsTable, active, previous.id, signal);
  const wait = durationText(GENERATION_WAIT_MS);
  onWait(`${wait}, until every projector uses these tables and has dropped its cache of the previous ones`);
  await clock.sleep(GENERATION_WAIT_MS);
}

/** Starts the live projector again in the place of a process that is gone: nothing that it knew of the tables is relied on. */
export async function startProjectorAgain(
  services: OperationsServices,
  job: ReplayJob,
  signal: AbortSignal,
): Promise<void> {
  const mapping = await mappingOf(services, 0, signal);
  const previous = await services.generation(signal);
  await putIntoUse(services, job, { previous, tables: tablesOf(previous), signal }, () => undefined);
  await mapping.resume(AbortSignal.timeout(RESUME_MAPPING_MS));
  delete job.pause;
}

export function mappingOf(
  { lambda: client, configuration, clock }: OperationsServices,
  functionTimeoutMs: number,
  signal: AbortSignal,
  onWait: (what: string) => void = () => undefined,
) {
  const { projectorFunction: functionName, streamName } = configuration;
  return projectorMapping({ client, functionName, streamName, clock, functionTimeoutMs, onWait }, signal);
}

/** A source. What is foreign in the archive is refused, or passed over and handed to `onForeign`. */
export function sourceOf(
  { kinesis, s3, clock, configuration }: OperationsServices,
  { isPolite, isForeignSkipped }: Pick<ReplaySpec, 'isPolite' | 'isForeignSkipped'>,
  source: ReplayPart['source'],
  onForeign: OnForeign = () => undefined,
): ReplaySource {
  const { streamName, archiveBucket: bucket } = configuration;
  if (source === 'archive') {
    const objects = s3ArchiveObjects(s3, bucket);
    return archiveSource({ objects, onForeign: isForeignSkipped === true ? onForeign : refuseForeign });
  }
  return streamSource({ client: kinesis, streamName, clock }, { isPolite });
}

function refuseForeign(part: ForeignPart): never {
  const { code, message } = foreignError(part);
  throw refusal(code, `${message}; --skip-foreign skips it`);
}

/** The source of a job, which counts again what is foreign whenever the archive is read. */
function sourceOfJob(
  services: OperationsServices,
  job: ReplayJob,
  source: ReplayPart['source'],
  isPolite: boolean,
): ReplaySource {
  const foreign: ForeignTally = { count: 0, named: [] };
  return sourceOf(services, { ...job.spec, isPolite }, source, (part) => {
    noteForeign(foreign, part);
    job.foreign = foreign;
  });
}
