import type { DeviceId, EntryDecoder } from '@twinstream/device-model';
import type { ShardProgressTable } from '@twinstream/latest-state';
import type { PageWriting } from '@twinstream/pipeline-settings';
import type { ResolvableQuarantine } from '@twinstream/quarantine';
import type { Clock, Logger } from '@twinstream/runtime';
import type { ShardId, ShardPosition } from '@twinstream/stream-model';
import type { TableNames } from '@twinstream/table-generation';
import type { Stores } from '../services.ts';
import type { Checkpointing } from './checkpointing.ts';
import type { JobStore } from './job-store.ts';
import type { Pace } from './pace.ts';
import type { DecodeOptions, Redriven } from './replay-entry.ts';
import type { ReplayJob, Runner } from './replay-job.ts';
import type { ReplayPart } from './replay-spec.ts';
import type { ReplaySource } from './sources/replay-source.ts';

/** Tables that are put into use while the live projector is paused. */
export interface NextTables {
  readonly tables: TableNames;
  /** Runs once no projector uses the previous tables any more. */
  readonly settle: () => Promise<void>;
}

/** What a replay reaches. */
export interface ReplayServices {
  readonly jobs: JobStore;
  /** The tables in use. */
  readonly stores: Stores;
  /** The tables of a job whose target is `fresh`. */
  readonly fresh: Stores | undefined;
  readonly quarantine: Pick<ResolvableQuarantine, 'resolved' | 'list' | 'read'>;
  readonly shardProgress: Pick<ShardProgressTable, 'read'>;
  readonly streamName: string;
  /** Makes events of entries. Default: events of this project's own format alone. */
  readonly decoder?: EntryDecoder;
  /** A polite source leaves the live consumers at least half of each shard's reads. */
  readonly sourceOf: (source: ReplayPart['source'], isPolite: boolean) => ReplaySource;
  /** Takes text for standard output, and resolves when there is room for more. */
  readonly write: (text: string) => Promise<void>;
  /**
   * Stops the live projector while `work` runs, and waits first until no invocation can write any more; then puts `next`
   * into use (by default the same tables, so that the projector forgets what it knows of them), runs `settle`, and starts
   * the projector again, however it ends. Throws `PROJECTOR_RESUMED` where somebody started it meanwhile.
   */
  readonly whilePaused: (work: () => Promise<void>, next?: NextTables) => Promise<void>;
  readonly clock: Clock;
  readonly random?: () => number;
  readonly logger: Logger;
  /** Says who is at work. Default: this process, under a token of its own. */
  readonly newRunner?: () => Runner;
  /** As the live projector lays out pages. Default: `PAGE_WRITING`. */
  readonly pageWriting?: PageWriting;
  /** Characters of events that a repair holds in memory, twice; more goes to disk. Default: `HELD_CHARACTERS_MAX`. */
  readonly heldCharactersMax?: number;
  readonly checkpointMs?: number;
  /** The job is written so often at least, whatever the run waits for; absent: at its steps alone. */
  readonly heartbeatMs?: number;
  /** Highest place wanted of each shard; absent: no bound. A repair has its own. */
  readonly bound?: (shardId: ShardId) => ShardPosition | undefined;
}

/** What each pass of a run works with. */
export interface ReplayRun extends ReplayServices {
  readonly job: ReplayJob;
  readonly pace: Pace;
  readonly checkpointing: Checkpointing;
  readonly devices: ReadonlySet<DeviceId> | undefined;
  readonly redriven: Redriven;
  readonly isRefused: DecodeOptions['isRefused'];
  readonly signal: AbortSignal;
}

/** How far the live projector has finished each shard. */
export async function progressBound(
  { shardProgress, streamName }: Pick<ReplayServices, 'shardProgress' | 'streamName'>,
  signal: AbortSignal,
): Promise<(shardId: ShardId) => ShardPosition | undefined> {
  const progress = await shardProgress.read(streamName, signal);
  const bounds = new Map(
    progress.map(({ shardId, finishedThrough }) => [
      shardId,
      { sequenceNumber: finishedThrough, subSequenceNumber: Number.MAX_SAFE_INTEGER },
    ]),
  );
  return (shardId) => bounds.get(shardId);
}
