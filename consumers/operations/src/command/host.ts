import type { CommandHost } from '@twinstream/command-line';
import type { Clock } from '@twinstream/runtime';

/** The process that a command runs in. */
export interface OperationsHost extends CommandHost {
  readonly clock: Clock;
  /** Aborted by the first Ctrl-C: come to a resumable end. */
  readonly stop: AbortSignal;
}
