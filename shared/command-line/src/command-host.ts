import { dirname, resolve } from 'node:path';
import type { Environment } from '@twinstream/runtime';
import { type Command, CommanderError } from 'commander';
import { type Ask, askOnTerminal } from './confirm.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';
import { type TextOutput, textOutput } from './text-output.ts';

/** The process that a command runs in. */
export interface CommandHost {
  /** Arguments after the name of the command. */
  readonly argv: readonly string[];
  /** Where relative paths begin. */
  readonly folder: string;
  readonly environment: Environment;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  readonly ask: Ask;
}

/** The host of this process. A user who sends its output through a pipe by `npm run` is told of npm's banner. */
export function commandHost(process: NodeJS.Process): CommandHost {
  const { argv, env: environment } = process;
  const cwd = process.cwd();
  const [stdout, stderr] = [textOutput(process.stdout), textOutput(process.stderr)];
  const note = npmBannerNote(cwd, environment, stdout.isTTY);
  if (note !== undefined) stderr.write(`${note}\n`);
  return {
    argv: argv.slice(2),
    folder: callerFolder(cwd, environment),
    environment,
    stdout,
    stderr,
    ask: (question) => askOnTerminal(process, question),
  };
}

/** Has a process that only reports end when nobody reads its output any more. */
export function endWithReader({ stdout }: CommandHost, process: NodeJS.Process): void {
  stdout.closed.addEventListener('abort', () => process.exit(EXIT_CODES.outputClosed));
}

/** Parses the command line. Where that was all (help) or not possible (wrong usage, reported): the exit code. */
export function parseCommandLine(
  program: Command,
  { argv, stdout, stderr }: Pick<CommandHost, 'argv' | 'stdout' | 'stderr'>,
): ExitCode | undefined {
  prepareProgram(program, { stdout, stderr });
  try {
    program.parse([...argv], { from: 'user' });
    return undefined;
  } catch (error) {
    return exitCodeOfParsing(error);
  }
}

/** Has the program write to these outputs, and throw instead of ending the process. Subcommands added later inherit it. */
export function prepareProgram(
  program: Command,
  { stdout, stderr }: Pick<CommandHost, 'stdout' | 'stderr'>,
): void {
  program.exitOverride().configureOutput({
    writeOut: (text) => void stdout.write(text),
    writeErr: (text) => void stderr.write(text),
  });
}

/** The exit code of what commander threw. Any other error is thrown again. */
export function exitCodeOfParsing(error: unknown): ExitCode {
  if (!(error instanceof CommanderError)) throw error;
  return error.exitCode === 0 ? EXIT_CODES.success : EXIT_CODES.usage;
}

/**
 * The folder that the person who runs a command stands in. `npm run` moves to the folder of package.json and names the one
 * it was called from in `INIT_CWD`, which every process below it inherits: it counts for the script itself alone, whose
 * working directory is still that of package.json.
 */
export function callerFolder(cwd: string, environment: Environment): string {
  const { INIT_CWD = '' } = environment;
  return isNpmScript(cwd, environment) && INIT_CWD !== '' ? INIT_CWD : cwd;
}

/** True in the process that `npm run` has started itself, and not in those below it. */
function isNpmScript(cwd: string, { npm_package_json: packageFile }: Environment): boolean {
  return packageFile !== undefined && dirname(packageFile) === cwd;
}

/**
 * What to tell a user who sends a program's output through a pipe or into a file by `npm run`: npm has written a banner there
 * before. Undefined where there is none: on a terminal it harms nobody, and `npm run --silent` writes none.
 */
export function npmBannerNote(
  cwd: string,
  environment: Environment,
  isTerminal: boolean,
): string | undefined {
  const { npm_lifecycle_script: script = '', npm_config_loglevel: level } = environment;
  if (isTerminal || level === 'silent' || !isNpmScript(cwd, environment)) return undefined;
  // Every other script runs this program below its own, or has no output that is read as data.
  const [, program] = /^exec (bin\/[\w-]+)/.exec(script) ?? [];
  if (program === undefined) return undefined;
  return `npm wrote its banner to standard output first; ${program} writes its output alone`;
}

/** An absolute path from one that a person wrote: a relative one begins at {@link callerFolder}. */
export function callerPath(written: string, folder: string): string {
  return resolve(folder, written);
}
