import { accessSync, constants, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NAMES } from '@twinstream/pipeline-settings';
import { CodedError, type Logger } from '@twinstream/runtime';
import { freePort } from '@twinstream/runtime/free-port';
import { startDynamoDb } from '../dynamodb/dynamodb.ts';
import { LOOPBACK } from '../http/loopback-server.ts';
import { requireFreePort } from '../http/require-free-port.ts';
import { startS3 } from '../s3/s3.ts';
import { startChildApp } from './child-app.ts';
import { drain } from './drain.ts';
import { removeLocalEnvFile, writeLocalEnvFile } from './local-env-file.ts';
import { type StandInUrls, standInEnvironment } from './names.ts';
import { HOST_FLAGS } from './process-settings.ts';
import type { StartOptions } from './start-options.ts';
import { type SupervisedApp, supervise } from './supervised-app.ts';

const STAND_INS_MAIN = new URL('./stand-ins-main.ts', import.meta.url).href;
const FUNCTION_HOST = new URL('../lambda/function-host.ts', import.meta.url).href;
const FUNCTIONS = {
  [NAMES.projectorFunction]: import.meta.resolve('@twinstream/state-projector/lambda'),
  [NAMES.archiverFunction]: import.meta.resolve('@twinstream/event-archiver/lambda'),
};

export interface PipelineOptions extends StartOptions {
  /** Built page; without it the API alone is served. */
  readonly dashboardDir?: string;
  /** Where other tools find the endpoints. */
  readonly localEnvFile: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly logger: Logger;
  /** Tells the person at the terminal. */
  readonly say: (line: string) => void;
  /** Aborted when the pipeline is to drain and stop. */
  readonly stopping: AbortSignal;
}

export interface Pipeline {
  readonly apiUrl: string;
  readonly faultsUrl: string;
  /** Resolves when everything has stopped: to nothing after a stop that was asked for, else to what broke. */
  readonly ended: Promise<unknown>;
}

/** What has been started, to be stopped in the reverse order. */
type Stoppable = { stop(): Promise<void> };

/**
 * Starts every part of the pipeline in processes of their own and keeps the consumers running. Throws `PORT_TAKEN`,
 * `DATA_DIR_UNWRITABLE`, `JAVA_MISSING`, `JAVA_TOO_OLD` or `APP_NOT_READY`, having stopped what had started.
 */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const started: Stoppable[] = [];
  const stopAll = async () => {
    for (const part of started.splice(0).reverse()) await part.stop();
    removeLocalEnvFile(options.localEnvFile);
  };
  try {
    return await startParts(options, started, stopAll);
  } catch (error) {
    await stopAll();
    throw error;
  }
}

async function startParts(
  options: PipelineOptions,
  started: Stoppable[],
  stopAll: () => Promise<void>,
): Promise<Pipeline> {
  const { say, logger } = options;
  await requireFreePort(options.port);
  const dataDir = options.dataDir === undefined ? undefined : writableFolder(options.dataDir);
  say('starting the stand-ins …');
  if (options.dynamodb === 'java')
    say('warning: DynamoDB Local listens on all interfaces, not on 127.0.0.1 alone');
  const ports = new Map<string, number>();
  for (const name of Object.keys(FUNCTIONS)) ports.set(name, await freePort());
  const standIns = await startEngines(options, started, dataDir, ports);
  const environment = { ...options.environment, ...standInEnvironment(standIns) };

  say('starting the consumers …');
  const apps: SupervisedApp[] = [];
  let announce = () => {};
  const run = async (
    name: string,
    main: string,
    args: readonly string[],
    extra: Record<string, string> = {},
  ) => {
    const levels = { TWINSTREAM_LOG_LEVEL: options.environment.TWINSTREAM_LOG_LEVEL ?? 'warn' };
    const supervised = await supervise(
      {
        name,
        main,
        args,
        environment: { ...environment, ...levels, ...extra },
        onRestarted: () => announce(),
      },
      logger,
    );
    started.push(supervised);
    apps.push(supervised);
    return supervised;
  };
  const hosts = Object.entries(FUNCTIONS).map(([name, module]) =>
    run(name, FUNCTION_HOST, [
      ...['--name', name, '--module', module, '--port', String(ports.get(name))],
      ...HOST_FLAGS,
    ]),
  );
  const api = run('query-api', import.meta.resolve('@twinstream/query-api/main'), [], {
    TWINSTREAM_API_PORT: String(options.port),
    ...(options.dashboardDir === undefined ? {} : { TWINSTREAM_DASHBOARD_DIR: options.dashboardDir }),
  });
  await Promise.all(hosts);
  const { url: apiUrl }: { url: string } = JSON.parse((await api).firstLine);
  announce = () => {
    const pids = Object.fromEntries(apps.map(({ name, pid }) => [pidVariable(name), String(pid())]));
    writeLocalEnvFile(options.localEnvFile, {
      ...standInEnvironment(standIns),
      TWINSTREAM_API_URL: apiUrl,
      ...pids,
    });
  };
  announce();
  const simulator = options.simulator ? startSimulator(options, environment) : undefined;

  const stop = async (): Promise<undefined> => {
    say('draining …');
    await simulator?.stop('SIGINT');
    await drain(apiUrl, logger);
    await stopAll();
    say('stopped');
  };
  const asked = new Promise<void>((resolveAsked) => {
    if (options.stopping.aborted) resolveAsked();
    options.stopping.addEventListener('abort', () => resolveAsked(), { once: true });
  });
  const broken = Promise.race(apps.map((supervised) => supervised.broken)).catch(async (error: unknown) => {
    await stopAll();
    return error;
  });
  return { apiUrl, faultsUrl: standIns.faults, ended: Promise.race([asked.then(stop), broken]) };
}

async function startEngines(
  { dynamodb, shards, window, environment }: PipelineOptions,
  started: Stoppable[],
  dataDir: string | undefined,
  ports: ReadonlyMap<string, number>,
): Promise<StandInUrls> {
  const folder = (name: string) => (dataDir === undefined ? {} : { dataDir: join(dataDir, name) });
  const [dynamoDb, s3] = await Promise.all([
    startDynamoDb({ engine: dynamodb, ...folder('dynamodb') }),
    startS3(folder('s3')),
  ]);
  for (const engine of [dynamoDb, s3]) started.push({ stop: () => engine.close() });
  const functions = Object.fromEntries(
    [...ports].map(([name, port]) => [name, `http://${LOOPBACK}:${port}`] as const),
  );
  const standIns = startChildApp({
    name: 'stand-ins',
    main: STAND_INS_MAIN,
    environment: {
      ...environment,
      STAND_INS_DYNAMODB_URL: dynamoDb.url,
      STAND_INS_S3_URL: s3.url,
      STAND_INS_FUNCTIONS: JSON.stringify(functions),
      STAND_INS_SHARDS: String(shards),
      STAND_INS_WINDOW_MS: String(window),
      ...(dataDir === undefined ? {} : { STAND_INS_DATA_DIR: dataDir }),
    },
  });
  started.push(standIns);
  return JSON.parse(await standIns.firstLine());
}

function startSimulator({ devices, rate }: PipelineOptions, environment: NodeJS.ProcessEnv) {
  return startChildApp({
    name: 'device-simulator',
    main: import.meta.resolve('@twinstream/device-simulator/main'),
    args: ['--devices', String(devices), '--rate', String(rate), '--no-progress'],
    environment,
  });
}

function pidVariable(name: string): string {
  return `TWINSTREAM_PID_${name.toUpperCase().replaceAll('-', '_')}`;
}

function writableFolder(path: string): string {
  const folder = resolve(path);
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new CodedError('DATA_DIR_UNWRITABLE', `--data-dir ${folder} is no folder that can be written to`, {
      cause: error,
    });
  }
  return folder;
}
