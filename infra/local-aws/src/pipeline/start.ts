import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  callerPath,
  commandHost,
  EXIT_CODES,
  type ExitCode,
  explainFailure,
  parseCommandLine,
  usageError,
} from '@twinstream/command-line';
import { builtPageFolder } from '@twinstream/dashboard';
import { mappingPlaces, openMappings } from '@twinstream/payload-mapping';
import { createLogger, LOCAL_ENVIRONMENT_FILE, shutdownSignal } from '@twinstream/runtime';
import { type StartOptions, startCommand } from './start-options.ts';
import { startPipeline } from './supervisor.ts';

const host = commandHost(process);

/** A path that a person wrote. */
const ofCaller = (path: string) => callerPath(path, host.folder);

/** `twinstream start`: the whole pipeline on this machine until Ctrl-C. */
async function main(): Promise<ExitCode> {
  const program = startCommand();
  const ended = parseCommandLine(program, host);
  if (ended !== undefined) return ended;
  const { dataDir, localEnv: written, mapping: files, ...options } = program.opts<StartOptions>();
  const localEnv = written === undefined ? resolve(LOCAL_ENVIRONMENT_FILE) : ofCaller(written);
  const mapping = files === undefined ? undefined : await checkedMapping(files);
  const stopping = shutdownSignal();
  const dashboardDir = fileURLToPath(builtPageFolder);
  const pipeline = await startPipeline({
    ...options,
    ...(dataDir === undefined ? {} : { dataDir: ofCaller(dataDir) }),
    ...(mapping === undefined ? {} : { mapping }),
    ...(existsSync(dashboardDir) ? { dashboardDir } : {}),
    localEnv,
    environment: process.env,
    logger: createLogger('local-aws', 'warn'),
    say,
    stopping,
  });
  say('');
  say(`  page    ${pipeline.apiUrl}/`);
  say(`  API     ${pipeline.apiUrl}/v1/devices`);
  say(`  metrics ${pipeline.apiUrl}/metrics`);
  say(`  AWS     source ${relative(process.cwd(), localEnv)}, and any AWS tool talks to this pipeline`);
  say(`  faults  ${pipeline.faultsUrl}/faults`);
  say('');
  say('Ctrl-C drains the pipeline and stops; a second Ctrl-C stops immediately.');
  const fault = await pipeline.ended;
  return fault === undefined ? EXIT_CODES.success : complain(fault);
}

/** The places of mappings with their whole paths. Throws what is wrong with them before anything starts. */
async function checkedMapping(files: string): Promise<string> {
  const places = mappingPlaces(files).map(ofCaller);
  await openMappings(places);
  const unquotable = places.find((place) => place.includes("'"));
  if (unquotable !== undefined) throw usageError(`--mapping: a path without quotes, not ${unquotable}`);
  return places.join(',');
}

/** The pipeline continues without a reader of its output. */
function say(line: string): void {
  host.stdout.write(`${line}\n`);
}

/** Why a pipeline does not start, or has ended. */
const OWN_ERRORS = new Map<string, ExitCode>([
  ['DATA_DIR_UNWRITABLE', EXIT_CODES.usage],
  ['DATA_DIR_IN_USE', EXIT_CODES.refused],
  ['INVALID_MAPPING', EXIT_CODES.usage],
  ['MAPPING_UNREADABLE', EXIT_CODES.usage],
  ['PIPELINE_RUNNING', EXIT_CODES.refused],
  ['PORT_TAKEN', EXIT_CODES.refused],
  ['APP_NOT_READY', EXIT_CODES.unavailable],
  ['APP_BROKEN', EXIT_CODES.unavailable],
  ['ENGINE_ENDED', EXIT_CODES.unavailable],
]);

function complain(error: unknown): ExitCode {
  const { text, exitCode } = explainFailure(error, { environment: host.environment, ownErrors: OWN_ERRORS });
  host.stderr.write(`twinstream: ${text}\n`);
  return exitCode;
}

// Children may still hold handles when something failed half-way; they end with this process.
process.exit(await main().catch(complain));
