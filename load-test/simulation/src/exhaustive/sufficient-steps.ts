import type { Process } from './process.ts';
import type { Step } from './steps.ts';

/**
 * Which of all possible steps are enough: every order of steps that is left out comes to the same as one that is not,
 * because it differs only in when a process took a step that touches its own memory alone.
 *
 * - While a process has replies on their way and no request, its own steps are enough: a reply that arrives, or a fault
 *   instead. Steps of others neither change these nor notice them.
 * - A fault that touches nothing but its process is tried right after the last step of that process. After steps of others,
 *   with which it could change places, it is not tried again.
 *
 * A record is called finished early rather than late then, which can only show more: what is durable stays so.
 *
 * Source: persistent sets and sleep sets, Godefroid, "Partial-Order Methods for the Verification of Concurrent Systems",
 * 1996. Which processes are stale is part of the situation, as it must be where situations are remembered.
 */
export class SufficientSteps {
  /** Processes whose own faults were possible, and were put behind a step of somebody else. */
  readonly #stale = new Set<Process>();

  isStale(process: Process): boolean {
    return this.#stale.has(process);
  }

  of(possible: readonly Step[], processes: readonly Process[]): Step[] {
    const told = processes.find(({ isOnlyTold }) => isOnlyTold);
    if (told !== undefined) return possible.filter(({ process }) => process === told);
    return possible.filter(
      ({ process, fault }) => fault !== 'own' || process === undefined || !this.#stale.has(process),
    );
  }

  /** A step was taken, all sufficient ones having been offered. */
  taken({ process: mover, fault }: Step, processes: readonly Process[]): void {
    if (mover !== undefined) this.#stale.delete(mover);
    if (fault === 'own' || mover?.isOnlyTold) return;
    for (const process of processes) if (process !== mover) this.#stale.add(process);
  }
}
