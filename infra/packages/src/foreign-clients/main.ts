import {
  commandHost,
  EXIT_CODES,
  type ExitCode,
  exitCodeHelp,
  parseCommandLine,
} from '@twinstream/command-line';
import { Argument, Command } from 'commander';
import type { CheckOutcome } from './check-outcome.ts';
import { kclCheck } from './kcl-check.ts';
import { kplCheck } from './kpl-check.ts';
import { pythonChecks } from './python-checks.ts';

const CHECKS: Readonly<Record<string, () => Promise<CheckOutcome>>> = {
  python: pythonChecks,
  kpl: kplCheck,
  kcl: kclCheck,
};

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Runs clients that other people wrote against the local Kinesis, where PyPI and Maven Central can be reached. */
async function main(): Promise<ExitCode> {
  const program = new Command('npm run foreign-clients:check --')
    .description(
      'Runs boto3, aws_kinesis_agg, aiokpl, and the KPL and the KCL for Java against the local Kinesis.',
    )
    .addArgument(new Argument('[checks...]', 'checks to run; all by default').choices(Object.keys(CHECKS)))
    .addHelpText(
      'after',
      `\n${exitCodeHelp({ success: 'no check failed; one that cannot be done here says why', failed: 'one failed' })}`,
    );
  const ended = parseCommandLine(program, commandHost(process));
  if (ended !== undefined) return ended;
  for (const [name, check] of Object.entries(CHECKS)) {
    if (program.args.length > 0 && !program.args.includes(name)) continue;
    const outcome = await check();
    say(outcome.kind === 'passed' ? outcome.seen : `${name} skipped: ${outcome.reason}`);
  }
  return EXIT_CODES.success;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return EXIT_CODES.failed;
});
