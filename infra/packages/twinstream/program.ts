import tab from '@bomb.sh/tab/commander';
import { commandHost, exitCodeHelp } from '@twinstream/command-line';
import { PROFILE_HELP } from '@twinstream/runtime';
import { Command } from 'commander';

/** A command of this program. Only the code of the one that runs is loaded. */
export interface Part {
  readonly summary: string;
  /** Runs it on the arguments of this process, which are all its own by then. */
  readonly run: () => Promise<unknown>;
  /** Its command line, for completion. */
  readonly program: () => Promise<Command>;
}

const runOperations = () => import('@twinstream/operations/main');
/** The commands by name, in the order of the help. */
export const PARTS: ReadonlyMap<string, Part> = new Map([
  [
    'start',
    {
      summary: 'run the whole pipeline on this machine, with a demo fleet and a page',
      run: () => import('@twinstream/local-aws/start'),
      program: async () => (await import('@twinstream/local-aws/start-options')).startCommand(),
    },
  ],
  [
    'simulate',
    {
      summary: 'put events of simulated or recorded devices into a stream',
      run: () => import('@twinstream/device-simulator/main'),
      program: async () => (await import('@twinstream/device-simulator/command-line')).simulateProgram(),
    },
  ],
  [
    'adopt',
    {
      summary: 'propose a payload mapping from samples, or test one',
      run: () => import('@twinstream/adopt/main'),
      program: async () => (await import('@twinstream/adopt')).adoptProgram(),
    },
  ],
  [
    'ops',
    {
      summary: 'status, history, state, verify, quarantine, redrive, correct, replay, doctor, plan',
      run: runOperations,
      program: operationsProgram,
    },
  ],
  [
    'doctor',
    {
      summary: 'check a pipeline and what it needs; the same as ops doctor',
      run: () => {
        process.argv.splice(2, 0, 'doctor');
        return runOperations();
      },
      program: async () => {
        const program = await operationsProgram();
        const doctor = program.commands.find((command) => command.name() === 'doctor');
        if (doctor === undefined) throw new TypeError('ops has no doctor');
        return doctor;
      },
    },
  ],
  [
    'load-test',
    {
      summary: 'offer load to a pipeline, and check the outcome of every event',
      run: () => import('@twinstream/load/main'),
      program: async () => (await import('@twinstream/load/command-line')).loadCommand(),
    },
  ],
  [
    'lab',
    {
      summary: 'run a consumer of your own under faults: what it loses, repeats and reorders',
      run: () => import('@twinstream/fault-lab/main'),
      program: async () => (await import('@twinstream/fault-lab/command-line')).labCommand(),
    },
  ],
]);

const EXAMPLES = `
Examples:
  twinstream start                          a demo fleet; its page is on http://127.0.0.1:8080/
  twinstream simulate --devices 100 --rate 50 --duration 1m
  twinstream ops verify                     fold the history and compare it with everything stored
  twinstream ops state bus-1 --at PT1H --output json | jq .attributes
  twinstream adopt sample.ndjson            propose a payload mapping for a fleet of your own
  source <(twinstream completion bash)      complete commands and flags; also zsh, fish and powershell

Commands find the pipeline that runs in this folder or a folder above (.twinstream/local.env), or that of --profile, and reach
AWS only with --target aws. Output has no colours, as NO_COLOR asks. \`twinstream COMMAND --help\` tells more.

${exitCodeHelp({
  success: 'success; other codes: see the help of the command',
})}`;

/** Arguments with a `--profile` that stands before the command moved behind its name: commands read it themselves. */
export function profileAfterCommand(argv: readonly string[]): readonly string[] {
  const [first = ''] = argv;
  const width = first === '--profile' ? 2 : first.startsWith('--profile=') ? 1 : 0;
  const command = argv[width];
  if (width === 0 || command === undefined || !PARTS.has(command)) return argv;
  return [command, ...argv.slice(0, width), ...argv.slice(width + 1)];
}

/** The program without its commands. */
export function rootProgram(version: string): Command {
  return new Command('twinstream')
    .description(
      'A Kinesis pipeline for verifiable device state: runs it on this machine, feeds it, and checks and repairs it here and on AWS.',
    )
    .version(version)
    .option('--profile <name>', PROFILE_HELP)
    .addHelpText('after', EXAMPLES);
}

/**
 * The program with its commands and the completion of them, as far as these arguments need it: only the command that they complete
 * is loaded.
 */
export async function wholeProgram(version: string, argv: readonly string[]): Promise<Command> {
  const program = rootProgram(version);
  // `complete -- ops st`: what a shell asks. The commands below the first word are needed where it is written in full.
  const [first, , completed] = argv;
  for (const [name, { summary, program: programOf }] of PARTS) {
    const isNeeded = first === 'complete' && name === completed && argv.length > 3;
    const command = isNeeded ? await programOf() : new Command();
    program.addCommand(command.name(name).summary(summary));
  }
  tab(program, { completionCommandName: 'completion' });
  return program;
}

async function operationsProgram(): Promise<Command> {
  const { operationsProgram: build } = await import('@twinstream/operations');
  const isNotRun = async () => undefined;
  return build(commandHost(process), isNotRun, isNotRun);
}
