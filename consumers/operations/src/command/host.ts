import type { Clock, Environment } from '@twinstream/runtime';

export interface TerminalStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** The process that a command runs in. */
export interface OperationsHost {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** What the SDK sees, too. */
  readonly environment: Environment;
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
  readonly clock: Clock;
  /** Aborted by the first Ctrl-C: come to a resumable end. */
  readonly stop: AbortSignal;
  /** The answer to a question on the terminal; undefined where nobody can be asked. */
  ask(question: string): Promise<string | undefined>;
}
