import type { EventPage } from '@twinstream/device-model';
import { type ReplayJob, type ReplaySpec, totalOf } from '@twinstream/operations';
import type { OperatorScenario } from '../scenario.ts';
import type { Owner } from '../scheduler.ts';
import { Violation } from '../violation.ts';
import { doDamage } from './do-damage.ts';
import { checkCopies, checkCopyLedger, checkRebuilt, freshTables } from './fresh-tables.ts';
import { jobErrand } from './job-errand.ts';
import { Operator } from './operator.ts';
import { promotionErrand } from './promotion-errand.ts';
import { redriveErrand } from './redrive-errand.ts';
import type { Surroundings } from './surroundings.ts';

/** Delays before an errand: immediately, in mid-traffic, or when everything else is over. */
const DELAYS_MS = [0, 50, 500, 5_000] as const;
const QUIET_POLL_MS = 20;
/** A window up to now ends after arrivals of this instant. */
const WINDOW_END_MS = 1;

/** What an operator does in one world. */
export class Duties {
  readonly #around: Surroundings;
  readonly #scenario: OperatorScenario;
  readonly #operator: Operator;
  #jobs = 0;

  constructor(around: Surroundings, scenario: OperatorScenario) {
    this.#around = around;
    this.#scenario = scenario;
    this.#operator = new Operator(around.scheduler, around.random);
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#operator.counts;
  }

  meetsFaults(owner: Owner): boolean | undefined {
    return this.#operator.meetsFaults(owner);
  }

  crash(owner: Owner): void {
    this.#operator.crash(owner);
  }

  /** Before, during and after the work of the live consumers, depending on the delays. */
  async besideLive(): Promise<void> {
    const { scheduler, random } = this.#around;
    const clock = scheduler.clockOf('operator at rest');
    for (const errand of this.#scenario.beside) {
      await clock.sleep(random.pick(DELAYS_MS));
      if (errand === 'redrive') await this.#redrive();
      else if (errand === 'repair') await this.#repair();
      else if (errand === 'promotion') await this.#promote();
      else await this.#replay(false);
    }
  }

  /** When everything that was sent is stored: what is rebuilt now is equal, and what is damaged comes back. */
  async behindLive(): Promise<void> {
    const { behind, damage } = this.#scenario;
    for (const errand of behind) {
      if (errand === 'redrive') await this.#redrive();
      else if (errand === 'repair') await this.#repairNothing();
      else if (errand === 'promotion') await this.#promote();
      else await this.#replay(this.#around.isEverythingStored);
    }
    if (damage === 'none') return;
    await this.#quiet();
    const restored = await doDamage(this.#around, this.#around.tables, damage, (name) =>
      this.#operator.count(name),
    );
    const job = await this.#repair();
    await restored.check(job);
    await this.#repairNothing();
  }

  async #redrive(): Promise<void> {
    await this.#operator.perform(redriveErrand(this.#around, () => this.#operator.count('redriven record')));
  }

  async #repair(): Promise<ReplayJob> {
    return await this.#runJob('repair', this.#part());
  }

  /**
   * A repair of tables in which everything is right. A promotion carries over no duplicates that were redriven before it: a repair
   * counts them again.
   */
  async #repairNothing(): Promise<void> {
    const { oracle, isPromoted } = this.#around;
    const isCounted = ({ events }: EventPage) => !isPromoted || events.length > 0;
    const pageCount = () =>
      [...oracle.pages.values()].reduce((sum, pages) => sum + pages.filter(isCounted).length, 0);
    const before = pageCount();
    const job = await this.#repair();
    const { applied, late, duplicate } = totalOf(job.ledger);
    const { pagesRestored, statesRestored } = job.repair;
    const found = applied + late + (isPromoted ? 0 : duplicate);
    const changes = found + pagesRestored + statesRestored + job.failureCount;
    if (changes === 0 && pageCount() === before) return;
    const detail = JSON.stringify({ applied, late, duplicate, ...job.repair, failures: job.failures });
    throw new Violation('a repair changes nothing where nothing is damaged', detail);
  }

  /** Into fresh tables; equal to the live ones where everything that was sent is stored. */
  async #replay(isAllStored: boolean): Promise<void> {
    const { pageWriting, oracle, onViolation, random } = this.#around;
    const fresh = freshTables(pageWriting.pageLimits.receipts, onViolation);
    const source = random.pick(['archive', 'stream', 'event-store'] as const);
    const job = await this.#runJob('fresh replay', { ...this.#part(), source }, fresh);
    if (job.failureCount > 0) throw new Violation('a replay fills fresh tables without a failure', job.id);
    if (source === 'event-store') {
      checkCopies(oracle, fresh.oracle);
      checkCopyLedger(job, fresh);
    }
    if (isAllStored) checkRebuilt(oracle, fresh.oracle);
    fresh.oracle.checkVersions();
    await fresh.oracle.checkSnapshots(fresh.stores.eventStore);
    fresh.oracle.checkLastWriterWins();
  }

  /** Fresh tables are filled, others work on, records are redriven and repaired, and then they are put into use. */
  async #promote(): Promise<void> {
    const { pageWriting, onViolation, random, scheduler, leftOut } = this.#around;
    const fresh = freshTables(pageWriting.pageLimits.receipts, onViolation, leftOut);
    const source = random.pick(['archive', 'stream', 'event-store'] as const);
    const job = await this.#runJob('fresh replay', { ...this.#part(), source }, fresh);
    if (job.failureCount > 0) throw new Violation('a replay fills fresh tables without a failure', job.id);
    const clock = scheduler.clockOf('operator at rest');
    for (const errand of random.pick([[], ['redrive'], ['repair'], ['redrive', 'repair']] as const)) {
      await clock.sleep(random.pick(DELAYS_MS));
      if (errand === 'redrive') await this.#redrive();
      else await this.#repair();
    }
    await clock.sleep(random.pick(DELAYS_MS));
    await this.#operator.perform(promotionErrand(this.#around, job.id, fresh));
  }

  #part(): ReplaySpec['parts'][number] {
    const { random, scheduler } = this.#around;
    return {
      source: random.pick(['archive', 'stream'] as const),
      fromMs: 0,
      toMs: scheduler.now + WINDOW_END_MS,
    };
  }

  async #runJob(
    name: 'repair' | 'fresh replay',
    part: ReplaySpec['parts'][number],
    fresh?: ReturnType<typeof freshTables>,
  ): Promise<ReplayJob> {
    const { checkpointMs, rate } = this.#scenario;
    const target = name === 'repair' ? ('repair' as const) : ('fresh' as const);
    this.#jobs += 1;
    const names = { eventsTable: `fresh-${this.#jobs}`, deviceStateTable: `fresh-${this.#jobs}-state` };
    const spec: ReplaySpec = {
      ...{ target, parts: [part], isPolite: false },
      ...(target === 'fresh' ? { tables: names } : {}),
      ...(rate === undefined ? {} : { rate }),
    };
    let completed: ReplayJob | undefined;
    const onCompleted = (job: ReplayJob) => {
      completed = job;
    };
    const options = { name, spec, checkpointMs, onCompleted, ...(fresh === undefined ? {} : { fresh }) };
    await this.#operator.perform(jobErrand(this.#around, `job-${this.#jobs}`, options));
    if (completed === undefined) throw new Error(`${name} is done, and its job is not completed`);
    return completed;
  }

  /** Until no invocation runs and nothing is on its way: damage done in front of somebody's eyes is not what is meant. */
  async #quiet(): Promise<void> {
    const { scheduler, containers, network } = this.#around;
    const clock = scheduler.clockOf('operator at rest');
    while (!containers.isIdle || network.landingCount > 0) await clock.sleep(QUIET_POLL_MS);
  }
}
