import type { Clock, Environment, TextOutput } from '@twinstream/runtime';

/** The process that a command runs in. */
export interface OperationsHost {
  readonly argv: readonly string[];
  /** Where relative paths begin. */
  readonly folder: string;
  readonly environment: Environment;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  readonly clock: Clock;
  /** Aborted by the first Ctrl-C: come to a resumable end. */
  readonly stop: AbortSignal;
  /** The answer to a question on the terminal; undefined when stdin is not a terminal. */
  ask(question: string): Promise<string | undefined>;
}
