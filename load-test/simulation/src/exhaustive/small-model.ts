import type { DeviceEvent } from '@twinstream/device-model';

/** Records of one shard that a worker receives in one batch, by their number in the shard, from 1, both included. */
export interface Delivery {
  readonly shard: number;
  readonly from: number;
  readonly to: number;
}

/** A model small enough that everything that can happen in it can be tried. */
export interface SmallModel {
  readonly name: string;
  /** What each shard holds, in its order, one record per event; an absent event is a record that is none. */
  readonly shards: readonly (readonly (DeviceEvent | undefined)[])[];
  /** What each worker is given, one after the other; each starts in a container of its own. */
  readonly workers: readonly (readonly Delivery[])[];
  /** Faults that may strike in one run, each at any request. */
  readonly faultsMax: number;
  readonly eventsPerPageMax: number;
  readonly pagesPerSnapshot: number;
  /** Whether pages, snapshots and states are written by the code that writes them in batches on AWS. */
  readonly writesInBatches?: boolean;
}
