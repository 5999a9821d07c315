import { seededRandom } from '@twinstream/test-kit';
import { drawForeign, drawKeyed, drawReleases, drawScenario, drawWrites, type Scenario } from './scenario.ts';
import { World } from './world.ts';

/** What one seed came to. */
export interface SimulationResult {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly turns: number;
  readonly storedCount: number;
  /** Faults that struck, by kind and operation. */
  readonly injected: ReadonlyMap<string, number>;
  /** What did not hold; absent when everything did. */
  readonly violation?: Error;
}

/** Runs the world of one seed to its end. The same seed produces the same run, turn by turn. */
export async function simulate(seed: number): Promise<SimulationResult> {
  const random = seededRandom(seed);
  const foreign = drawForeign(drawWrites(drawScenario(random), seed), seed);
  const scenario = drawReleases(drawKeyed(foreign, seed), seed);
  const world = new World(scenario, random);
  let violation: Error | undefined;
  try {
    await world.run();
  } catch (error) {
    violation = error instanceof Error ? error : new Error(String(error));
  }
  const { turns, storedCount, injected } = world;
  return { seed, scenario, turns, storedCount, injected, ...(violation === undefined ? {} : { violation }) };
}
