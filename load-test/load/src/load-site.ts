import { CodedError } from '@twinstream/runtime';

/** A rule of the fault control endpoint (`PUT /faults`). */
export interface FaultRule {
  readonly service: string;
  readonly operation?: string;
  readonly kind: string;
  /** Share of requests or records that is struck. */
  readonly rate: number;
}

/** The running pipeline as far as a scenario may lay hands on it. */
export interface LoadSite {
  /** Replaces all fault rules. */
  setFaults(rules: readonly FaultRule[]): Promise<void>;
  /** Ends a function's process immediately (kill -9); its supervisor starts it again. */
  kill(name: string): Promise<void>;
  /** Starts or stops invoking a function, and returns when that is so. */
  setMapping(functionName: string, enabled: boolean): Promise<void>;
  shardCount(): Promise<number>;
  /** Splits or merges to this number of shards, and returns when the stream is active again. */
  reshard(shardCount: number): Promise<void>;
  /** No faults, and every function invoked: what was sent can be finished. */
  resume(): Promise<void>;
  /** Everything as it was found, the number of shards too. Rejects with `NOT_RESTORED`, naming what is left. */
  restore(): Promise<void>;
  close(): void;
}

export function scenarioFailed(message: string): CodedError {
  return new CodedError('SCENARIO_FAILED', message);
}
