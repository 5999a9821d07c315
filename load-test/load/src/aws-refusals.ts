import type { Expectation } from './expectation.ts';
import type { FigureName } from './figures.ts';
import type { ScenarioName } from './scenarios.ts';

const OF_FUNCTIONS = 'only the logs and metrics of the functions have it';

/** Figures that cannot be measured from outside of a deployed pipeline, with the reason. They are null there. */
export const UNKNOWN_ON_AWS: Readonly<Partial<Record<FigureName, string>>> = {
  projectedPerSecond: OF_FUNCTIONS,
  archivedPerSecond: OF_FUNCTIONS,
  writeUnitsPerEvent: 'only CloudWatch counts the write units of tables into which others write, too',
  cpuSeconds: OF_FUNCTIONS,
  cpuMicrosPerEvent: OF_FUNCTIONS,
  memoryMaxMiB: OF_FUNCTIONS,
  highestRate: 'a search needs a fresh deployment for each rate',
};

/** Scenarios that need what only a pipeline on this machine has, and what that is. */
const SCENARIOS_NOT_ON_AWS: Readonly<Partial<Record<ScenarioName, string>>> = {
  throttle: 'AWS refuses no requests on demand; the faults of the local pipeline are needed',
  restart: 'processes of functions on AWS cannot be killed',
  soak: 'it needs the faults of the local pipeline, and processes that can be killed',
};

/** Flags that shape a pipeline that is started, by the names that the command line parser has for them. */
const FLAGS_NOT_ON_AWS: Readonly<Record<string, string>> = {
  shards: '--shards: the deployment has its own; scenario reshard doubles them for a time',
  dynamodb: '--dynamodb: the deployment has its own',
  window: '--window: the deployment has its own',
  baseline: '--baseline: the baseline is deployed nowhere but here',
  findRate: `--find-rate: ${UNKNOWN_ON_AWS.highestRate}`,
};

export interface AwsRequest {
  readonly scenario: ScenarioName;
  readonly expectations: readonly Expectation[];
  /** True for what the command line says itself. */
  readonly isGiven: (option: string) => boolean;
}

/** Everything in a request that cannot be had of a deployed pipeline, one line each. */
export function refusalsOfAws({ scenario, expectations, isGiven }: AwsRequest): readonly string[] {
  const why = SCENARIOS_NOT_ON_AWS[scenario];
  return [
    ...(why === undefined ? [] : [`--scenario ${scenario}: ${why}`]),
    ...Object.entries(FLAGS_NOT_ON_AWS).flatMap(([option, text]) => (isGiven(option) ? [text] : [])),
    ...expectations.flatMap(({ text, figure }) => {
      const unknown = UNKNOWN_ON_AWS[figure];
      return unknown === undefined ? [] : [`--expect ${text}: ${figure} is not known: ${unknown}`];
    }),
  ];
}
