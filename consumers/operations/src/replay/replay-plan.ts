import type { Range } from '../output/range.ts';
import type { ReplayPart } from './replay-spec.ts';

/** What a replay is going to meet, before anything is written: counted, or between two bounds. */
export interface ReplayPlan {
  readonly parts: readonly PartPlan[];
  readonly events: Range;
  readonly bytes: Range;
  /** True where all events were counted. */
  readonly isExact: boolean;
  readonly durationMs: Range;
  /** What the duration holds besides reading and writing. */
  readonly durationBasis: string;
  readonly readUnits: Range;
  readonly writeUnits: Range;
  readonly dollars: Range;
  readonly changes: readonly string[];
}

export interface PartPlan extends ReplayPart {
  readonly events: Range;
  readonly bytes: Range;
  /** How the events were found. */
  readonly basis: string;
  readonly shards: readonly ShardPlan[];
}

export interface ShardPlan {
  readonly shardId: string;
  /** First place of the window; null where it has none. */
  readonly start: string | null;
  readonly startArrival: string | null;
  readonly events: Range;
}
