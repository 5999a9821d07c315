import { compareWithinShard, type Position } from '@twinstream/stream-model';
import type { TableNames } from '@twinstream/table-generation';
import {
  type ArchiveComparison,
  archiveComparison,
  s3ArchiveObjects,
  s3GivenUpBatches,
} from '@twinstream/verification';
import type { CommandContext } from '../command/command-context.ts';
import { jobStore } from '../replay/job-store.ts';
import { progressBound } from '../replay/replay-run.ts';

export interface CompareArchiveOptions {
  /** The tables that are verified. */
  readonly tables: TableNames;
  /** How long an event may be on its way into the archive. */
  readonly archiveLagMs: number;
  readonly isForeignSkipped: boolean;
  /** Mapping documents to decode with, separated by commas; absent: those of the projector. */
  readonly mapping: string | undefined;
  /** When the verification began, milliseconds since 1970. */
  readonly startMs: number;
  /** These devices alone; all where absent. */
  readonly devices: ReadonlySet<string> | undefined;
}

/**
 * Reads the archive, to be compared with the tables: up to the checkpoints of the shards as they are now, before anything is
 * read, and in the window that the tables were built from.
 */
export async function compareArchive(
  context: CommandContext,
  { tables, archiveLagMs, isForeignSkipped, mapping, startMs, devices }: CompareArchiveOptions,
): Promise<ArchiveComparison> {
  const { services, host } = context;
  const { s3, quarantine, configuration } = services;
  const bound = await progressBound({ ...services, streamName: configuration.streamName }, host.stop);
  const isHeld = await heldBy(context, tables);
  return archiveComparison({
    decoders: await services.decoders(mapping, host.folder),
    objects: s3ArchiveObjects(s3, configuration.archiveBucket),
    quarantine,
    givenUp: s3GivenUpBatches(s3, configuration.archiveBucket),
    projectorFunction: configuration.projectorFunction,
    isFinished: (entry) => {
      const finished = bound(entry.shardId);
      return finished !== undefined && compareWithinShard(entry, finished) <= 0 && isHeld(entry);
    },
    dueBefore: startMs - archiveLagMs,
    startTime: startMs,
    devices,
    isForeignSkipped,
    signal: host.stop,
  });
}

/**
 * Which entries a pair of tables should hold. Tables that a replay filled hold what it read, and, once they are in use, what
 * came since. A copy of other tables says nothing of positions before it is in use.
 */
async function heldBy(
  context: CommandContext,
  { eventsTable }: TableNames,
): Promise<(entry: Position & { readonly arrivalTime: number }) => boolean> {
  const { services, host } = context;
  const inUse = await services.generation(host.stop);
  const isInUse = inUse.eventsTable === eventsTable;
  const jobs = await jobStore(context).list(host.stop);
  const job = jobs.find(({ spec }) => spec.tables?.eventsTable === eventsTable);
  if (job === undefined) return () => isInUse;
  const { parts, shards } = job.spec;
  const isCopy = parts[0]?.source === 'event-store';
  if (!isInUse && (isCopy || job.status !== 'completed')) return () => false;
  const fromMs = isCopy ? 0 : Math.min(...parts.map((part) => part.fromMs));
  const toMs = isInUse ? Number.POSITIVE_INFINITY : Math.max(...parts.map((part) => part.toMs));
  return ({ shardId, arrivalTime }) =>
    arrivalTime >= fromMs && arrivalTime < toMs && (isInUse || shards?.includes(shardId) !== false);
}
