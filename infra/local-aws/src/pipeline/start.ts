import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CodedError,
  callerFolder,
  callerPath,
  createLogger,
  LOCAL_ENVIRONMENT_FILE,
  shutdownSignal,
  textOutput,
} from '@twinstream/runtime';
import { readStartOptions } from './start-options.ts';
import { startPipeline } from './supervisor.ts';

const [stdout, stderr] = [textOutput(process.stdout), textOutput(process.stderr)];

/** A path that a person wrote. */
const ofCaller = (path: string) => callerPath(path, callerFolder(process.cwd(), process.env));

/** `npm start`: the whole pipeline on this machine until Ctrl-C. */
async function main(): Promise<number> {
  const { dataDir, localEnv: written, ...options } = readStartOptions(process.argv);
  const localEnv = written === undefined ? resolve(LOCAL_ENVIRONMENT_FILE) : ofCaller(written);
  const stopping = shutdownSignal();
  const dashboardDir = dirname(fileURLToPath(import.meta.resolve('@twinstream/dashboard/dist/index.html')));
  const pipeline = await startPipeline({
    ...options,
    ...(dataDir === undefined ? {} : { dataDir: ofCaller(dataDir) }),
    ...(existsSync(dashboardDir) ? { dashboardDir } : {}),
    localEnv,
    environment: process.env,
    logger: createLogger('local-aws', 'warn'),
    say,
    stopping,
  });
  say('');
  say(`  page   ${pipeline.apiUrl}/`);
  say(`  API    ${pipeline.apiUrl}/v1/devices`);
  say(`  AWS    source ${relative(process.cwd(), localEnv)}, and any AWS tool talks to this pipeline`);
  say(`  faults ${pipeline.faultsUrl}/faults`);
  say('');
  say('Ctrl-C drains the pipeline and stops; a second Ctrl-C stops immediately.');
  const fault = await pipeline.ended;
  return fault === undefined ? 0 : complain(fault);
}

/** The pipeline continues without a reader of its output. */
function say(line: string): void {
  stdout.write(`${line}\n`);
}

function complain(error: unknown): number {
  const told =
    error instanceof CodedError ? error.message : error instanceof Error ? error.stack : String(error);
  stderr.write(`twinstream: ${told}\n`);
  return 1;
}

// Children may still hold handles when something failed half-way; they end with this process.
process.exit(await main().catch(complain));
