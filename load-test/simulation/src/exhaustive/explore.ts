import { ClosedModel } from './closed-model.ts';
import type { SmallModel } from './small-model.ts';

/** What trying everything in a small model came to. */
export interface Exploration {
  readonly model: SmallModel;
  /** Orders of steps from the start to the end, each different. */
  readonly schedules: bigint;
  /** Times that the model was run, from the start, to cover them. */
  readonly runs: number;
  /** Situations in which more than one thing could happen, each counted once. */
  readonly choicePoints: number;
  /** Steps of the longest run. */
  readonly depthMax: number;
  /** Digests of what was stored at the ends: how many ways there are for it to end. */
  readonly ends: ReadonlySet<string>;
  /** What did not hold, and the choices that lead there; absent when everything did. */
  readonly violation?: { readonly error: Error; readonly choices: readonly number[] };
}

export interface ExploreOptions {
  /** Whether every order of independent steps is tried: without `PartialOrderReduction`. Default: false. */
  readonly everyOrder?: boolean;
  /** Whether a situation that was met before is tried again, with all that follows. Default: false. */
  readonly everyPath?: boolean;
}

/** A choice point on the way to where the exploration stands. */
interface ChoicePoint {
  readonly digest: string | undefined;
  readonly alternatives: number;
  /** The alternative that is being tried. */
  choice: number;
  /** Schedules from here to the end, over the alternatives tried so far. */
  schedules: bigint;
}

/** A run that takes more steps than this does not end by itself. */
export const STEPS_MAX = 1_000;
/** Choice points remembered, at about 100 bytes each. A model with more of them is not small. */
const CHOICE_POINTS_MAX = 5_000_000;

/**
 * Explicit-state model checking of the real code, with partial-order reduction: tries the orders of steps of a model, depth
 * first, until one violates a guarantee. Processes cannot be copied in mid-run, so every run starts from the beginning and
 * takes the steps again that lead to the next untried one. A situation that was met before has the same future, so it is
 * not tried again, and its schedules are counted again.
 *
 * Source: stateless search by replay, Godefroid, "Model Checking for Programming Languages using VeriSoft", POPL 1997;
 * with a memory of states, as explicit-state model checkers have it (Holzmann, "The SPIN Model Checker", 2003).
 */
export async function explore(
  model: SmallModel,
  { everyOrder = false, everyPath = false }: ExploreOptions = {},
): Promise<Exploration> {
  const search = new Search(model, { everyOrder, everyPath });
  while (await search.runOnce()) search.backtrack();
  return search.result();
}

class Search {
  readonly #model: SmallModel;
  readonly #options: Required<ExploreOptions>;
  readonly #path: ChoicePoint[] = [];
  /** Schedules from each situation to the end, by its digest, once all of them have been tried. */
  readonly #finished = new Map<string, bigint>();
  readonly #ends = new Set<string>();
  #schedules = 0n;
  #runs = 0;
  #choicePoints = 0;
  #depthMax = 0;
  #violation: Error | undefined;

  constructor(model: SmallModel, options: Required<ExploreOptions>) {
    this.#model = model;
    this.#options = options;
  }

  result(): Exploration {
    const found = {
      model: this.#model,
      schedules: this.#schedules,
      runs: this.#runs,
      choicePoints: this.#choicePoints,
      depthMax: this.#depthMax,
      ends: this.#ends,
    };
    const error = this.#violation;
    return error === undefined ? found : { ...found, violation: { error, choices: this.#choices() } };
  }

  /** Runs from the start to an end, or to where nothing new can follow. False when everything was tried, or something was violated. */
  async runOnce(): Promise<boolean> {
    if (this.#runs > 0 && this.#path.length === 0) return false;
    this.#runs += 1;
    try {
      this.#count(await this.#schedulesOfRun());
      return true;
    } catch (error) {
      this.#violation = error instanceof Error ? error : new Error(String(error));
      return false;
    }
  }

  /** Goes back to the last choice point with an alternative left, and on to that. */
  backtrack(): void {
    while (true) {
      const last = this.#path.at(-1);
      if (last === undefined) return;
      last.choice += 1;
      if (last.choice < last.alternatives) return;
      this.#path.pop();
      if (last.digest !== undefined) this.#finished.set(last.digest, last.schedules);
      this.#count(last.schedules);
    }
  }

  /** Schedules that the run stands for, from its last choice on. */
  async #schedulesOfRun(): Promise<bigint> {
    const model = await ClosedModel.open(this.#model, this.#options);
    let met = 0;
    for (let depth = 0; depth < STEPS_MAX; depth += 1) {
      this.#depthMax = Math.max(this.#depthMax, depth);
      const steps = model.possibleSteps();
      if (steps.length === 0) {
        await model.checkEnd();
        this.#ends.add(await model.storedDigest());
        return 1n;
      }
      let choice = 0;
      if (steps.length > 1) {
        if (met === this.#path.length) {
          const known = await this.#enter(model, steps.length);
          if (known !== undefined) return known;
        }
        choice = this.#path[met]?.choice ?? 0;
        met += 1;
      }
      const step = steps[choice];
      if (step === undefined) throw new Error('the same choices did not lead to the same situation');
      await model.take(step);
    }
    throw new Error(`not done after ${STEPS_MAX} steps`);
  }

  /** Goes on to a choice point; the count of its schedules when it was met before. */
  async #enter(model: ClosedModel, alternatives: number): Promise<bigint | undefined> {
    const digest = this.#options.everyPath ? undefined : await model.digest();
    const known = digest === undefined ? undefined : this.#finished.get(digest);
    if (known !== undefined) return known;
    this.#choicePoints += 1;
    if (this.#choicePoints > CHOICE_POINTS_MAX)
      throw new Error(`more than ${CHOICE_POINTS_MAX} choice points`);
    this.#path.push({ digest, alternatives, choice: 0, schedules: 0n });
    return undefined;
  }

  #count(schedules: bigint): void {
    const last = this.#path.at(-1);
    if (last === undefined) this.#schedules += schedules;
    else last.schedules += schedules;
  }

  /** The choices that lead to where the search stands; later ones are all 0. */
  #choices(): number[] {
    const choices = this.#path.map(({ choice }) => choice);
    return choices.slice(0, choices.findLastIndex((choice) => choice > 0) + 1);
  }
}
