import {
  callerPath,
  commandHost,
  EXIT_CODES,
  type ExitCode,
  explainFailure,
  type OutputFormat,
  parseCommandLine,
  usageError,
} from '@twinstream/command-line';
import { shutdownSignal } from '@twinstream/runtime';
import { labCommand } from './lab-command.ts';
import type { LabOptions, Requirement } from './lab-options.ts';
import { resultText } from './lab-result.ts';
import { RESHARD_STEPS } from './lab-stream.ts';
import { runLab } from './run-lab.ts';

/** Flags as commander returns them. */
interface Flags {
  readonly handler?: string;
  readonly handlerName: string;
  readonly batchSize: number;
  readonly records: number;
  readonly keys: number;
  readonly rate: number;
  readonly shards: number;
  readonly reshards: boolean;
  readonly kills: number;
  readonly faults: number;
  readonly duplicates: number;
  readonly seed: number;
  readonly quiet: number;
  readonly deadline: number;
  readonly require: readonly Requirement[];
  readonly output: OutputFormat;
}

const OWN_ERRORS = new Map<string, ExitCode>([['CONSUMER_ENDED', EXIT_CODES.failed]]);

const host = commandHost(process);

function optionsOf(flags: Flags, command: readonly string[]): LabOptions {
  const { handler, quiet: quietMs, deadline: deadlineMs, require: requirements } = flags;
  if ((command.length === 0) === (handler === undefined)) {
    throw usageError('either a command after --, or --handler: twinstream lab -- node consumer.js');
  }
  const happenings = Math.max(flags.kills, flags.reshards ? RESHARD_STEPS.length : 0);
  if (flags.records <= happenings) {
    throw usageError(
      `--records must be more than ${happenings}: as many kills or reshards stand between them`,
    );
  }
  const given = { ...flags, command, quietMs, deadlineMs, requirements };
  return handler === undefined ? given : { ...given, handler: callerPath(handler, host.folder) };
}

async function main(): Promise<ExitCode> {
  const program = labCommand();
  const ended = parseCommandLine(program, host);
  if (ended !== undefined) return ended;
  const flags = program.opts<Flags>();
  const options = optionsOf(flags, program.args);
  const signal = AbortSignal.any([shutdownSignal(), parentGone()]);
  const say = (line: string) => void host.stderr.write(`lab: ${line}\n`);
  try {
    const result = await runLab({ options, environment: host.environment, folder: host.folder, signal, say });
    host.stdout.write(flags.output === 'json' ? `${JSON.stringify(result, null, 2)}\n` : resultText(result));
    return result.passed ? EXIT_CODES.success : EXIT_CODES.failed;
  } catch (error) {
    if (!signal.aborted) throw error;
    host.stderr.write('lab: stopped\n');
    return EXIT_CODES.interrupted;
  }
}

/** Aborted when the process that started the lab with a channel is gone; never without a channel. */
function parentGone(): AbortSignal {
  const controller = new AbortController();
  if (process.connected) {
    process.once('disconnect', () => controller.abort(new Error('the process that started the lab is gone')));
    process.channel?.unref();
  }
  return controller.signal;
}

function complain(error: unknown): ExitCode {
  const { text, exitCode } = explainFailure(error, { environment: host.environment, ownErrors: OWN_ERRORS });
  host.stderr.write(`lab: ${text}\n`);
  return exitCode;
}

process.exitCode = await main().catch(complain);
