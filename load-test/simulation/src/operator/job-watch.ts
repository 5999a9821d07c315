import { type ReplayJob, type ReplaySource, totalOf } from '@twinstream/operations';
import { positionKey } from '@twinstream/stream-model';
import { Violation } from '../violation.ts';
import type { OperatorProcess } from './operator.ts';

/** What is known of the run that was last at work on a job. */
interface Run {
  readonly process: Pick<OperatorProcess, 'isReplaced'>;
  readonly startTime: number;
  /** When each place was done with. */
  readonly doneTimes: Map<string, number>;
}

/** Watches what the runs of a job receive from its source. */
export class JobWatch {
  readonly #checkpointMs: number;
  readonly #now: () => number;
  readonly #onViolation: (error: unknown) => void;
  /** Every place that the pass `apply` was given. */
  readonly #given = new Set<string>();
  #run: Run = { process: { isReplaced: true }, startTime: 0, doneTimes: new Map() };

  constructor(checkpointMs: number, now: () => number, onViolation: (error: unknown) => void) {
    this.#checkpointMs = checkpointMs;
    this.#now = now;
    this.#onViolation = onViolation;
  }

  /** A run begins from the job as it was read: what it was done with since may come again, for one interval. */
  watched(process: OperatorProcess, job: ReplayJob, sourceOf: () => ReplaySource): ReplaySource {
    const before = this.#run;
    const savedTime = Math.max(before.startTime, job.updatedTime);
    const run: Run = { process, startTime: this.#now(), doneTimes: new Map() };
    this.#run = run;
    return {
      read: (query, take) =>
        sourceOf().read(query, async (batch) => {
          if (job.pass !== 'apply') return await take(batch);
          const places = batch.entries.map(positionKey);
          for (const place of places) {
            this.#given.add(place);
            const doneTime = before.doneTimes.get(place);
            if (doneTime === undefined || before.process.isReplaced) continue;
            if (!this.#mayComeAgain(job, doneTime - savedTime)) {
              const detail = `${place} after ${doneTime - savedTime} ms`;
              this.#onViolation(new Violation('a crash repeats one checkpoint interval at most', detail));
            }
          }
          await take(batch);
          for (const place of places) run.doneTimes.set(place, this.#now());
        }),
    };
  }

  /**
   * Of a stream, shards are read concurrently, and go on while a checkpoint is on its way; and at the end of a window, arrivals
   * that run backward lie behind no checkpoint. How much of that comes again, nobody promises.
   */
  #mayComeAgain({ spec }: ReplayJob, unsavedMs: number): boolean {
    if (spec.parts[0]?.source === 'stream') return true;
    return this.#checkpointMs > 0 && unsavedMs < this.#checkpointMs;
  }

  /**
   * A completed job counts the outcome of each entry, once.
   *
   * @param isMapped whether an entry may become several events
   */
  checkLedger(job: ReplayJob, isMapped: boolean): void {
    const { id, pass, status, ledger, ledgerBeforeRebuild } = job;
    const { read, skipped, applied, late, duplicate, redelivered, quarantined, failed } = totalOf(ledger);
    const sum = skipped + applied + late + duplicate + redelivered + quarantined + failed;
    const isAccountedFor = isMapped ? read <= sum : read === sum;
    if (!isAccountedFor || pass !== 'done' || status !== 'completed' || ledgerBeforeRebuild !== undefined) {
      throw new Violation(
        'the ledger of a replay adds up',
        `${id} ${status}: ${read} read, ${sum} accounted for`,
      );
    }
    const source = job.spec.parts[0]?.source;
    const given = this.#given.size;
    // At the end of a stream's window arrivals that run backward lie behind no checkpoint: they may be read, and counted, again.
    const isCounted = source === 'stream' ? read >= given : source === 'event-store' || read === given;
    if (!isCounted)
      throw new Violation('the ledger of a replay adds up', `${id}: ${read} read, ${given} given`);
  }
}
