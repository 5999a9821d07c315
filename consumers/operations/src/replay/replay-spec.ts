import type { DeviceId } from '@twinstream/device-model';
import type { ReplayTarget } from '@twinstream/pipeline-status';
import type { ShardId } from '@twinstream/stream-model';

export const REPLAY_SOURCES = ['stream', 'archive', 'event-store', 'auto'] as const;
export type ReplaySource = (typeof REPLAY_SOURCES)[number];

/** A range of time that one source covers. Arrivals from `fromMs` (included) to `toMs` (excluded). */
export interface ReplayPart {
  readonly source: Exclude<ReplaySource, 'auto'>;
  /** 0: from the earliest that the source has. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a replay is to do; fixed when its job is created. */
export interface ReplaySpec {
  /** Without one the replay is a dry run: it reads and counts. */
  readonly target?: ReplayTarget;
  /** A dry run that does what this target would do, to stores of its own. */
  readonly preview?: 'repair';
  /** One after the other. */
  readonly parts: readonly ReplayPart[];
  /** These alone; all where absent. */
  readonly devices?: readonly DeviceId[];
  readonly shards?: readonly ShardId[];
  /** Entries a second over all shards; absent: as fast as it goes. */
  readonly rate?: number;
  /** True leaves the live consumers at least half of each shard's reads. */
  readonly isPolite: boolean;
  readonly reason?: string;
  /** True passes over what is foreign in the archive. */
  readonly isForeignSkipped?: true;
  /** Fresh tables, where they are the target. */
  readonly tables?: { readonly eventsTable: string; readonly deviceStateTable: string };
}

/** What a replay does, or would do: its target, or that of which it is a preview. */
export function effectOf({ target, preview }: ReplaySpec): ReplayTarget | undefined {
  return target ?? preview;
}
