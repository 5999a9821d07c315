import { Command, CommanderError } from 'commander';
import { operationsConfiguration } from '../configuration.ts';
import { addCorrect } from '../correction/correct-command.ts';
import { addHistory } from '../history/history-command.ts';
import { addState } from '../history/state-command.ts';
import { addPlan } from '../plan/plan-command.ts';
import { addQuarantine } from '../quarantine/quarantine-command.ts';
import { addReplay } from '../replay/replay-command.ts';
import { awsServices, type OperationsServices } from '../services.ts';
import { addStatus } from '../status/status-command.ts';
import { addVerify } from '../verify/verify-command.ts';
import type { RunAlone, RunCommand, RunOptions } from './command-context.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';
import { explainFailure } from './explain-failure.ts';
import type { OperationsHost } from './host.ts';

const EXIT_CODE_HELP = `
Exit codes: 0 fine; 1 differences, or failed items; 2 wrong usage; 3 refused, nothing was changed;
4 a service is not there, or what it holds cannot be read; 70 a fault of this program; 130 stopped by Ctrl-C (a replay
goes on with --resume); 141 nobody reads the output any more, and there was nothing else to do.

npm run writes a banner to standard output first. bin/ops takes the same commands and flags and writes none: use it in
front of a pipe, for a file, and from other folders.

Without endpoints in the environment the pipeline of the nearest .twinstream/local.env is used.`;

const LOOKS: RunOptions = { changes: false };

export interface OperationsCommandOptions {
  /** Default: over the AWS SDK, as the environment says. */
  readonly openServices?: (host: OperationsHost) => OperationsServices;
}

/** Runs `npm run ops`, and gives its exit code. */
export async function operationsCommand(
  host: OperationsHost,
  {
    openServices = (of) => awsServices(operationsConfiguration(of.environment), of.clock),
  }: OperationsCommandOptions = {},
): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT_CODES.fine;
  const runWith = async (work: (of: OperationsHost) => Promise<ExitCode>, { changes }: RunOptions) => {
    const { stdout, stderr, stop } = host;
    const isUnread = () => !changes && stdout.closed.aborted;
    try {
      exitCode = await work(changes ? host : { ...host, stop: AbortSignal.any([stop, stdout.closed]) });
    } catch (error) {
      if (stop.aborted) exitCode = EXIT_CODES.interrupted;
      else if (!isUnread()) {
        const { text, exitCode: failed } = explainFailure(error, host.environment);
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
      const services = openServices(of);
      try {
        return await work({ host: of, services });
      } finally {
        services.close();
      }
    }, options);
  const program = new Command('npm run ops --')
    .description('What happened, is what is held right, and if not: put it right.')
    .addHelpText('after', EXIT_CODE_HELP)
    .configureOutput({
      writeOut: (text) => void host.stdout.write(text),
      writeErr: (text) => void host.stderr.write(text),
    })
    .exitOverride();
  for (const add of [addStatus, addHistory, addState, addVerify, addQuarantine, addCorrect, addReplay]) {
    add(program, run);
  }
  addPlan(program, runAlone);
  try {
    await program.parseAsync([...host.argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT_CODES.fine : EXIT_CODES.wrongUsage;
  }
  return exitCode;
}
