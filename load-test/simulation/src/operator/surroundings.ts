import type { EntryDecoder } from '@twinstream/device-model';
import type { JobStore } from '@twinstream/operations';
import type { PageWriting } from '@twinstream/pipeline-settings';
import type { Random } from '@twinstream/test-kit';
import type { Archive } from '../archive.ts';
import type { Containers } from '../containers.ts';
import type { Network } from '../network.ts';
import type { Oracle } from '../oracle.ts';
import type { LeftOut } from '../restoration.ts';
import type { Scheduler } from '../scheduler.ts';
import type { SimStream } from '../sim-stream.ts';
import type { Reach, WatchedStores } from '../watched-stores.ts';
import type { DamageableTables } from './damage.ts';
import type { FreshTables } from './fresh-tables.ts';

export const STREAM_NAME = 'device-events';

/** The world as an operator finds it. */
export interface Surroundings {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly network: Network;
  readonly stream: SimStream;
  readonly archive: Archive;
  /** The tables in use now, and what is really in them: other ones after a promotion. */
  readonly stores: WatchedStores;
  readonly tables: DamageableTables;
  /** Stores as a process of an operator sees them. */
  readonly reach: Reach;
  readonly oracle: Oracle;
  /** True when the tables in use are those of a promotion. */
  readonly isPromoted: boolean;
  /** Puts the tables of a job into use, and checks that nothing is lost by it. */
  readonly switchTo: (fresh: FreshTables) => void;
  /** By the live projector. */
  readonly leftOut: LeftOut;
  /**
   * False where records stay in quarantine that a newer version of the mapping knows: above a parallelization factor of 1 no
   * progress of a shard is known, and a redrive leaves everything as not finished.
   */
  readonly isEverythingStored: boolean;
  /** Those of the live projector. */
  readonly containers: Containers;
  readonly jobs: JobStore;
  /** As the live projector lays out pages. */
  readonly pageWriting: PageWriting;
  /** That of the newest version of the mapping. */
  readonly decoder: EntryDecoder;
  readonly onViolation: (error: unknown) => void;
}
