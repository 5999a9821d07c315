export const REQUIREMENTS = ['no-loss', 'order', 'once'] as const;
/** What a consumer must keep for the exit code 0. `once`: nothing is reported more often than the stream holds it. */
export type Requirement = (typeof REQUIREMENTS)[number];

export interface LabOptions {
  /** The command with its arguments; empty where `handler` says what runs. */
  readonly command: readonly string[];
  /** Path of a module whose export is invoked with batches, as Lambda does it. */
  readonly handler?: string;
  readonly handlerName: string;
  readonly batchSize: number;
  readonly records: number;
  readonly keys: number;
  /** Records a second. */
  readonly rate: number;
  readonly shards: number;
  /** Whether shards are split and merged during the load. */
  readonly reshards: boolean;
  /** How often the consumer is killed (SIGKILL) and started again. */
  readonly kills: number;
  /** Share of the faults' usual rates, 0 to 1; 0 injects none. */
  readonly faults: number;
  /** Share of records that stand twice in the stream, 0 to 1. */
  readonly duplicates: number;
  readonly seed: number;
  /** Milliseconds without a report after which what is missing counts as lost. */
  readonly quietMs: number;
  /** Milliseconds after the last put at which the lab ends in any case. */
  readonly deadlineMs: number;
  readonly requirements: readonly Requirement[];
}
