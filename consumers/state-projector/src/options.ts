import { PAGE_WRITING, type PageWriting } from '@twinstream/pipeline-settings';

export interface ProjectorOptions extends PageWriting {
  /** Devices worked on at the same time. Their writes share requests of 25 items. */
  readonly devicesAtOnce: number;
  /** Device states kept in memory between invocations; one takes 2 to 3 KB. Stacks with a stated workload set it. */
  readonly headsMax: number;
  /** Time kept free before the invocation's end, to abort requests, await them and answer; milliseconds. */
  readonly deadlineMarginMs: number;
  /** Parallelization factor of the event source mapping. Above 1, one invocation does not know its shard's progress, and none is written. */
  readonly parallelizationFactor: number;
}

export const PROJECTOR_OPTIONS: ProjectorOptions = {
  devicesAtOnce: 200,
  headsMax: 20_000,
  deadlineMarginMs: 2_000,
  ...PAGE_WRITING,
  parallelizationFactor: 1,
};
