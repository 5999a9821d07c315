import { temporaryFolder } from '@twinstream/end-to-end';
import type { FoundDeployment } from './attached-deployment.ts';
import { attachedDeployment, type ReachedDeployment, reachDeployment } from './attached-deployment.ts';
import { deployBaseline } from './baseline/deploy-baseline.ts';
import { type Deployment, type DeploymentOptions, deployTwinstream } from './deployment.ts';
import { judge, type Verdict } from './figures.ts';
import type { LoadOptions } from './load-options.ts';
import { shardsFor } from './load-options.ts';
import type { LoadResult, RateSearch, SubjectResult } from './load-result.ts';
import { thisMachine } from './load-result.ts';
import { measureLoad } from './measure-load.ts';
import { SCENARIOS } from './scenarios.ts';
import { searchRate } from './search-rate.ts';

export interface LoadRun {
  readonly options: LoadOptions;
  /** The deployed pipeline that takes the load. Absent: one is started for it. */
  readonly found?: FoundDeployment;
  readonly signal: AbortSignal;
  /** Tells the person who waits. */
  readonly say: (line: string) => void;
}

/** The baseline is expected to hold about a tenth. */
const BASELINE_START_DIVISOR = 10;

type Deploy = (options: DeploymentOptions) => Promise<Deployment>;

/**
 * Runs what the options ask for, on a deployment that is found, or each subject and each trial on a fresh one. Rejects when
 * a run could not be done.
 */
export async function runLoad(run: LoadRun): Promise<LoadResult> {
  const { options } = run;
  const machine = thisMachine();
  const date = new Date().toISOString();
  const reached = run.found === undefined ? undefined : await reachDeployment(run.found, options.scenario);
  const deployFirst = reached === undefined ? deployTwinstream : attachTo(reached, run);
  const subjects: (readonly [Deploy, LoadOptions])[] = [[deployFirst, options]];
  // A search for the baseline's rate begins where it is likelier to be found.
  const baselineRate = options.findRate ? Math.ceil(options.rate / BASELINE_START_DIVISOR) : options.rate;
  if (options.baseline) {
    subjects.push([deployBaseline, { ...options, aggregate: false, rate: baselineRate }]);
  }
  const results: SubjectResult[] = [];
  const searches: RateSearch[] = [];
  for (const [deploy, own] of subjects) {
    const measure = (rate: number) => measureOnce(run, deploy, { ...own, rate });
    if (options.findRate) {
      const { search, best } = await searchRate({
        startRate: own.rate,
        measure,
        expectations: options.expectations,
        say: run.say,
      });
      searches.push(search);
      results.push(best);
    } else results.push(await measure(own.rate));
  }
  const [first] = results;
  const rate = searches[0]?.highestRate ?? options.rate;
  const verdicts: Verdict[] =
    first === undefined ? [] : options.expectations.map((expectation) => judge(expectation, first.figures));
  // The baseline is there to be seen, not to be judged.
  const kept = first !== undefined && promisesKept(first);
  return {
    format: 'twinstream-load-test-1',
    date,
    machine,
    load: {
      scenario: options.scenario,
      rate,
      durationMs: options.durationMs,
      devices: options.deviceCount,
      aggregate: options.aggregate,
      shards: reached?.shardCount ?? options.shardCount ?? shardsFor({ ...options, rate }),
      seed: options.seed,
      dynamodb: run.found === undefined ? options.dynamodb : `AWS in ${run.found.region}`,
    },
    subjects: results,
    verdicts,
    ...(options.findRate ? { searches } : {}),
    passed: kept && verdicts.every(({ met }) => met),
  };
}

function attachTo(reached: ReachedDeployment, { options, signal, say }: LoadRun): Deploy {
  if (SCENARIOS[options.scenario].steps !== undefined) {
    const warn = () =>
      say(
        'stopping: the pipeline is put back first, which may take minutes; a second Ctrl-C leaves it as it is',
      );
    signal.addEventListener('abort', warn, { once: true });
  }
  return async ({ folder }) => attachedDeployment(reached, folder);
}

/** Everything that was sent is where it should be, and was finished in time; the pipeline is as it was. */
export function promisesKept({ ledger, figures, left }: SubjectResult): boolean {
  return ledger.violationCount === 0 && figures.drainMs !== null && left === undefined;
}

/** Leaves the deployment. What could not be put back is reported immediately: neither the result nor another error may hide it. */
async function leftBehind(deployment: Deployment, { say }: LoadRun): Promise<string | undefined> {
  try {
    await deployment.stop();
    return undefined;
  } catch (error) {
    const left = `NOT put back: ${error instanceof Error ? error.message : String(error)}`;
    say(`${deployment.name}: ${left}`);
    return left;
  }
}

async function measureOnce(run: LoadRun, deploy: Deploy, options: LoadOptions): Promise<SubjectResult> {
  const folder = temporaryFolder();
  try {
    run.signal.throwIfAborted();
    run.say('starting …');
    const deployment = await deploy({
      folder: folder.path,
      shardCount: options.shardCount ?? shardsFor(options),
      dynamodb: options.dynamodb,
      windowMs: options.windowMs,
    });
    let result: SubjectResult;
    try {
      result = await measureLoad({ ...run, deployment, options, folder: folder.path });
    } catch (error) {
      await leftBehind(deployment, run);
      throw error;
    }
    const left = await leftBehind(deployment, run);
    return left === undefined ? result : { ...result, left, notes: [...result.notes, left] };
  } finally {
    folder.dispose();
  }
}
