import type { Process } from './process.ts';
import type { Step } from './steps.ts';

/**
 * Partial-order reduction: which of all possible steps are explored, so that of schedules that differ only in the order of
 * independent steps one is run. Steps are independent unless they are of one process, both touch the stores, or one makes
 * the other possible; ADR 8 has the argument.
 *
 * - Persistent set: while a process has replies on their way and no request, its own steps are enough: a reply that
 *   arrives, or a fault of its own. They touch its memory alone, and nothing that others do changes or prevents them.
 * - Sleep set: a fault that touches its process alone is explored right after the last step of that process. It sleeps once
 *   another process has moved, since it could change places with that step, and wakes with the next step of its own. A
 *   step that was offered as a persistent set puts nobody to sleep, because the faults of others were not offered beside it.
 *
 * What is checked within a step of one process, that a record is durable when it is called finished, is checked early
 * rather than late then, which can only show more: what is durable stays so.
 *
 * Source: Godefroid, "Partial-Order Methods for the Verification of Concurrent Systems", 1996. Which processes sleep is part
 * of the situation, as it must be where situations are remembered. A new kind of step must be classified in `steps.ts`: as a
 * fault of its process alone, or as one that touches the stores.
 */
export class PartialOrderReduction {
  /** Processes whose own faults were offered before a step of another. */
  readonly #asleep = new Set<Process>();

  isAsleep(process: Process): boolean {
    return this.#asleep.has(process);
  }

  /** The steps to explore, of all that are possible. */
  reduced(possible: readonly Step[], processes: readonly Process[]): Step[] {
    const told = processes.find(({ isOnlyTold }) => isOnlyTold);
    if (told !== undefined) return possible.filter(({ process }) => process === told);
    return possible.filter(
      ({ process, fault }) => fault !== 'own' || process === undefined || !this.#asleep.has(process),
    );
  }

  /** Notes a step that is about to be taken, all of the reduced ones having been offered. */
  taken({ process: mover, fault }: Step, processes: readonly Process[]): void {
    if (mover !== undefined) this.#asleep.delete(mover);
    if (fault === 'own' || mover?.isOnlyTold) return;
    for (const process of processes) if (process !== mover) this.#asleep.add(process);
  }
}
