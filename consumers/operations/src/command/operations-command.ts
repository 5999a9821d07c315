import { describeAwsTarget } from '@twinstream/aws/target';
import {
  EXIT_CODES,
  type ExitCode,
  exitCodeHelp,
  exitCodeOfParsing,
  explainFailure,
  prepareProgram,
} from '@twinstream/command-line';
import { PROFILE_HELP, TARGET_HELP, TARGETS, type Target, type TargetName } from '@twinstream/runtime';
import { Command, Option } from 'commander';
import { addAcknowledge } from '../annotation/acknowledge-command.ts';
import { addRetire } from '../annotation/retire-command.ts';
import { addCorrect } from '../correction/correct-command.ts';
import { addDoctor } from '../doctor/doctor-command.ts';
import { addHistory } from '../history/history-command.ts';
import { addState } from '../history/state-command.ts';
import { addPlan } from '../plan/plan-command.ts';
import { addQuarantine } from '../quarantine/quarantine-command.ts';
import { addRedrive } from '../redrive/redrive-command.ts';
import { addReplay } from '../replay/replay-command.ts';
import {
  awsServices,
  namesOf,
  type OperationsServices,
  operationsConfiguration,
  SERVICES,
} from '../services.ts';
import { addStatus } from '../status/status-command.ts';
import { addVerify } from '../verify/verify-command.ts';
import type { OperationsHost, RunAlone, RunCommand, RunOptions } from './command-context.ts';

const EXIT_CODES_OF_OPS = exitCodeHelp({
  success: 'success',
  failed:
    'differences, failed items, something that a deployed pipeline lacks, a disabled archiver, or a paused projector that no running job will resume',
  refused: 'refused: nothing was changed',
  unavailable: 'a service is unreachable, or its data is unreadable',
  interrupted: 'interrupted by Ctrl-C; continue a replay with --resume',
  outputClosed: 'the reader of the output has closed it, and there was nothing else to do',
});

const HELP = `
Examples:
  twinstream ops status
  twinstream ops verify --output json | jq .differences
  twinstream ops state bus-2619 --at PT2H
  twinstream ops quarantine list
  twinstream ops replay plan --from PT2H

${EXIT_CODES_OF_OPS}
Commands work on the pipeline of the nearest .twinstream/local.env, or on what endpoints of this machine in the environment
say. A profile of the configuration file names endpoints and names in their place. A pipeline on AWS is reached with --target aws alone; its
region, addresses and names are printed first.`;

const LOOKS: RunOptions = { changes: false };

export interface OperationsCommandOptions {
  /** Decides where commands work, by `--target` and `--profile`, and has the SDK go there. Throws `TARGET_REQUIRED`, `NO_PIPELINE` or `INVALID_PROFILE`. */
  readonly enterTarget: (asked: TargetName | undefined, profile: string | undefined) => Target;
  /** Default: over the AWS SDK, as the target's environment says. */
  readonly openServices?: (target: Target, host: OperationsHost) => OperationsServices;
}

/** The command line with all of its commands, whose work `run` and `runAlone` do. It writes to these outputs. */
export function operationsProgram(
  outputs: Pick<OperationsHost, 'stdout' | 'stderr'>,
  run: RunCommand,
  runAlone: RunAlone,
): Command {
  const program = new Command('twinstream ops')
    .description('Inspects, verifies and repairs a pipeline.')
    .addOption(new Option('--target <place>', TARGET_HELP).choices(TARGETS))
    .option('--profile <name>', PROFILE_HELP)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', HELP);
  prepareProgram(program, outputs);
  for (const add of [
    addStatus,
    addHistory,
    addState,
    addVerify,
    addQuarantine,
    addRedrive,
    addCorrect,
    addAcknowledge,
    addRetire,
    addReplay,
  ]) {
    add(program, run);
  }
  addDoctor(program, run);
  addPlan(program, runAlone);
  return program;
}

/** Runs `twinstream ops`, and returns its exit code. */
export async function operationsCommand(
  host: OperationsHost,
  {
    enterTarget,
    openServices = (target, { clock }) =>
      awsServices(operationsConfiguration(target.environment), clock, target),
  }: OperationsCommandOptions,
): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT_CODES.success;
  let { environment } = host;
  const runWith = async (work: (of: OperationsHost) => Promise<ExitCode>, { changes }: RunOptions) => {
    const { stdout, stderr, stop } = host;
    const isUnread = () => !changes && stdout.closed.aborted;
    try {
      exitCode = await work(changes ? host : { ...host, stop: AbortSignal.any([stop, stdout.closed]) });
    } catch (error) {
      if (stop.aborted) exitCode = EXIT_CODES.interrupted;
      else if (!isUnread()) {
        const { text, exitCode: failed } = explainFailure(error, { environment });
        stderr.write(`${text}\n`);
        exitCode = failed;
      }
    }
    await stdout.flushed();
    if (isUnread() && !stop.aborted) exitCode = EXIT_CODES.outputClosed;
  };
  const runAlone: RunAlone = (work) => runWith((of) => work({ host: of }), LOOKS);
  const run: RunCommand = (work, options = LOOKS) =>
    runWith(async (of) => {
      const flags = program.opts<{ target?: TargetName; profile?: string }>();
      const target = enterTarget(flags.target, flags.profile);
      environment = target.environment;
      const services = openServices(target, of);
      try {
        if (target.name === 'aws') {
          of.stderr.write(`${await describeAwsTarget(SERVICES, namesOf(services.configuration))}\n`);
        }
        return await work({ host: of, services });
      } finally {
        services.close();
      }
    }, options);
  const program = operationsProgram(host, run, runAlone);
  try {
    await program.parseAsync([...host.argv], { from: 'user' });
  } catch (error) {
    return exitCodeOfParsing(error);
  }
  return exitCode;
}
