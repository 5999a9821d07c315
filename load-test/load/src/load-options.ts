import type { TargetName } from '@twinstream/runtime';
import type { Expectation, FigureName } from './figures.ts';
import { type DYNAMODB_ENGINES, loadCommand, SHARDS_MAX } from './load-command.ts';
import type { ScenarioName } from './scenarios.ts';

/** A load to measure. */
export interface LoadOptions {
  readonly kind: 'measure';
  /** A pipeline that is started for it, or one that is deployed. */
  readonly target: TargetName;
  /** True if no confirmation is needed before events are written to a deployed pipeline. */
  readonly isConfirmed: boolean;
  readonly scenario: ScenarioName;
  readonly rate: number;
  readonly durationMs: number;
  /** How long DynamoDB is away; absent: the scenario's own share of the duration. */
  readonly outageMs?: number;
  readonly deviceCount: number;
  readonly aggregate: boolean;
  /** Absent: as many as the rate needs. */
  readonly shardCount?: number;
  readonly seed: number;
  readonly dynamodb: (typeof DYNAMODB_ENGINES)[number];
  /** How long the functions of a pipeline that is started wait for a fuller batch. */
  readonly windowMs: number;
  readonly expectations: readonly Expectation[];
  readonly output: 'table' | 'json';
  readonly reportFile?: string;
  readonly saveFile?: string;
  readonly baseline: boolean;
  readonly findRate: boolean;
  readonly drainDeadlineMs: number;
  /** From the end of the drain until the archive must hold everything. */
  readonly archiveDeadlineMs: number;
  /** How long a gentle load runs before the one that is measured, so that functions have started; 0 for none. */
  readonly warmUpMs: number;
}

/** Two results to compare. */
export interface CompareOptions {
  readonly kind: 'compare';
  readonly files: readonly [string, string];
  readonly output: 'table' | 'json';
}

/** Scenarios that kill processes. */
const UNSUPERVISED: readonly ScenarioName[] = ['restart', 'soak'];
/**
 * How long the archive may take. On AWS: three of the longest intervals for which a stage lets Firehose gather (300 s), so
 * that one that fails once and is tried again is no violation.
 */
const ARCHIVE_DEADLINE_MS = { local: 120_000, aws: 900_000 } as const;

interface Parsed {
  readonly scenario: ScenarioName;
  readonly rate: number;
  readonly duration: number;
  readonly devices: number;
  readonly aggregate?: true;
  readonly shards?: number;
  readonly seed: number;
  readonly target: TargetName;
  readonly yes?: true;
  readonly archiveDeadline?: number;
  readonly window: number;
  readonly dynamodb: (typeof DYNAMODB_ENGINES)[number];
  readonly expect?: readonly Expectation[];
  readonly output: 'table' | 'json';
  readonly report?: string;
  readonly save?: string;
  readonly baseline?: true;
  readonly findRate?: true;
  readonly soak?: number;
  readonly outage?: number;
  readonly drainDeadline: number;
  readonly warmUp: number;
  readonly compare?: true;
}

/** The command line. Throws CommanderError where there is nothing to do or something is wrong, after it was printed. */
export function readLoadOptions(argv: readonly string[], output?: Output): LoadOptions | CompareOptions {
  const program = loadCommand();
  if (output !== undefined) program.configureOutput({ writeOut: output.out, writeErr: output.err });
  program.exitOverride().parse([...argv], { from: 'user' });
  const given = program.opts<Parsed>();
  if (given.compare === true) {
    const [before, after, ...more] = program.args;
    if (before === undefined || after === undefined || more.length > 0) {
      return program.error('error: --compare takes two files of results');
    }
    return { kind: 'compare', files: [before, after], output: given.output };
  }
  if (given.baseline === true && UNSUPERVISED.includes(given.soak === undefined ? given.scenario : 'soak')) {
    program.error(
      `error: --baseline does not support ${UNSUPERVISED.join(' and ')}: it does not restart its processes`,
    );
  }
  if (program.args.length > 0) program.error(`error: unknown argument '${program.args[0]}'`);
  const scenario = given.soak === undefined ? given.scenario : 'soak';
  const { outage } = given;
  if (outage !== undefined && scenario !== 'dynamodb-outage') {
    program.error('error: --outage is for --scenario dynamodb-outage alone');
  }
  if (outage !== undefined && outage >= given.duration) {
    program.error('error: --outage must be shorter than --duration');
  }
  if (given.target === 'aws') {
    const isGiven = (name: string) => program.getOptionValueSource(name) === 'cli';
    const refusals = refusalsOfAws({ scenario, expectations: given.expect ?? [], isGiven });
    if (refusals.length > 0) program.error(`error: with --target aws:\n  ${refusals.join('\n  ')}`);
  }
  const { shards, report, save } = given;
  return {
    kind: 'measure',
    target: given.target,
    isConfirmed: given.yes === true,
    scenario,
    rate: given.rate,
    durationMs: given.soak ?? given.duration,
    deviceCount: given.devices,
    aggregate: given.aggregate === true,
    seed: given.seed,
    dynamodb: given.dynamodb,
    windowMs: given.window,
    expectations: given.expect ?? [],
    output: given.output,
    baseline: given.baseline === true,
    findRate: given.findRate === true,
    drainDeadlineMs: given.drainDeadline,
    archiveDeadlineMs: given.archiveDeadline ?? ARCHIVE_DEADLINE_MS[given.target],
    warmUpMs: given.warmUp,
    ...(outage === undefined ? {} : { outageMs: outage }),
    ...(shards === undefined ? {} : { shardCount: shards }),
    ...(report === undefined ? {} : { reportFile: report }),
    ...(save === undefined ? {} : { saveFile: save }),
  };
}

/** Where help and errors go. */
export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

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
  'dynamodb-outage': 'AWS fails no requests on demand; the faults of the local pipeline are needed',
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

/** Shards that npm start has. */
const SHARDS_MIN = 4;
/** An event of the simulator (198 bytes) with its share of the aggregated record around it: 225 in 48,000 events, measured 2026-11-27. */
export const EVENT_BYTES = 230;
/** Of the limits of a shard (1,000 records/s, 1 MB/s), as a margin for bursts and uneven hashing. */
const USED_SHARE = 0.7;

/** Shards for a rate of events, each a record of its own or aggregated. */
export function shardsFor({
  rate,
  aggregate,
}: {
  readonly rate: number;
  readonly aggregate: boolean;
}): number {
  const byBytes = (rate * EVENT_BYTES) / (1_000_000 * USED_SHARE);
  const byRecords = aggregate ? 0 : rate / (1_000 * USED_SHARE);
  return Math.min(SHARDS_MAX, Math.max(SHARDS_MIN, Math.ceil(Math.max(byBytes, byRecords))));
}

/** A warm-up has this share of the rate that follows. */
const WARM_UP_SHARE = 1 / 3;
/** Events per second of a warm-up at least, where the load has as many. */
const WARM_UP_RATE_MIN = 500;

/** Events per second of the gentle load before one of this rate: enough of them for the code to be compiled for good. */
export function warmUpRate(rate: number): number {
  return Math.round(Math.min(rate, Math.max(WARM_UP_RATE_MIN, rate * WARM_UP_SHARE)));
}
