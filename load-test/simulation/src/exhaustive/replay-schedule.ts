import { ClosedModel } from './closed-model.ts';
import { STEPS_MAX } from './explore.ts';
import type { SmallModel } from './small-model.ts';

export interface ReplayedSchedule {
  /** What happened, step by step. */
  readonly steps: readonly string[];
  /** What did not hold. */
  readonly violation?: Error;
}

/** Runs one schedule, given by its choices; those that are not given are 0. Throws RangeError for a choice that there is not. */
export async function replaySchedule(
  model: SmallModel,
  choices: readonly number[],
): Promise<ReplayedSchedule> {
  const steps: string[] = [];
  const opened = await ClosedModel.open(model, { everyOrder: false });
  let met = 0;
  while (steps.length < STEPS_MAX) {
    const possible = await nextOf(opened);
    if (possible instanceof Error) return { steps, violation: possible };
    if (possible.length === 0) return { steps };
    const choice = possible.length === 1 ? 0 : (choices[met] ?? 0);
    if (possible.length > 1) met += 1;
    const step = possible[choice];
    if (step === undefined) throw new RangeError(`choice ${met} is ${choice}, of ${possible.length}`);
    steps.push(step.label);
    await opened.take(step);
  }
  return { steps, violation: new Error(`not done after ${STEPS_MAX} steps`) };
}

/** What can happen next, all having been checked up to here; or what did not hold. */
async function nextOf(model: ClosedModel) {
  try {
    const steps = model.possibleSteps();
    if (steps.length === 0) await model.checkEnd();
    return steps;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
