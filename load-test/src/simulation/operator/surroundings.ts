import type { JobStore } from '@twinstream/operations';
import type { PageWriting } from '@twinstream/pipeline-settings';
import type { Archive } from '../archive.ts';
import type { Containers } from '../containers.ts';
import type { Ghost } from '../ghost.ts';
import type { Network } from '../network.ts';
import type { Random } from '../random.ts';
import type { Scheduler } from '../scheduler.ts';
import type { SimStream } from '../sim-stream.ts';
import type { WatchedStores } from '../watched-stores.ts';

export const STREAM_NAME = 'device-events';

/** The world as an operator finds it. */
export interface Surroundings {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly network: Network;
  readonly stream: SimStream;
  readonly archive: Archive;
  /** The live tables, and what is really in them. */
  readonly stores: WatchedStores;
  readonly ghost: Ghost;
  /** Those of the live projector. */
  readonly containers: Containers;
  readonly jobs: JobStore;
  /** As the live projector lays out pages. */
  readonly pageWriting: PageWriting;
  readonly onViolation: (error: unknown) => void;
}
