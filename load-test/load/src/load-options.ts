import type { TargetName } from '@twinstream/runtime';
import { refusalsOfAws } from './aws-refusals.ts';
import type { Expectation } from './expectation.ts';
import { type DYNAMODB_ENGINES, loadCommand } from './load-command.ts';
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

/** Two results to lay side by side. */
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
