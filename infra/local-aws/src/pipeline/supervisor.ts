import { NAMES } from '@twinstream/pipeline-settings';
import { type Environment, type Logger, withoutAwsSettings } from '@twinstream/runtime';
import { freePort } from '@twinstream/runtime/free-port';
import { formatMetricsPeers, METRICS_PATH } from '@twinstream/telemetry';
import { LOOPBACK } from '../http/loopback-server.ts';
import { requireFreePort } from '../http/require-free-port.ts';
import { type ChildApp, startChildApp } from './child-app.ts';
import { takeDataDir } from './data-dir.ts';
import { drain } from './drain.ts';
import { startEngines } from './engines.ts';
import { type LocalEnvFile, takeLocalEnvFile } from './local-env-file.ts';
import { isOfLevel, logLevelOf, lowerLevel } from './log-filter.ts';
import { emulatorEnvironment } from './names.ts';
import { HOST_FLAGS } from './process-settings.ts';
import type { StartOptions } from './start-options.ts';
import { type Stoppable, stopParts } from './stop-parts.ts';
import { type SupervisedApp, supervise } from './supervised-app.ts';
import { startSupervisorMetrics } from './supervisor-metrics.ts';

const FUNCTION_HOST = new URL('../lambda/function-host.ts', import.meta.url).href;
const FUNCTIONS = {
  [NAMES.projectorFunction]: import.meta.resolve('@twinstream/state-projector/lambda'),
  [NAMES.archiverFunction]: import.meta.resolve('@twinstream/event-archiver/lambda'),
};

export interface PipelineOptions extends StartOptions {
  readonly localEnv: string;
  /** Built page; without it the API alone is served. */
  readonly dashboardDir?: string;
  readonly environment: Environment;
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

interface ChildExtras {
  /** Variables beside those that all consumers have. */
  readonly extra?: Readonly<Record<string, string>>;
  readonly onErrorLine?: (line: string) => void;
}

/** Each part may take so long to finish where another one that it needs has ended: there is nothing left to drain to. */
const BROKEN_STOP_DEADLINE_MS = 2_000;

/**
 * Starts every part of the pipeline in processes of their own and keeps the consumers running. Throws `PIPELINE_RUNNING`,
 * `PORT_TAKEN`, `DATA_DIR_UNWRITABLE`, `DATA_DIR_IN_USE`, `JAVA_MISSING`, `JAVA_TOO_OLD` or `APP_NOT_READY`, having stopped
 * what had started.
 */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const localEnvFile = takeLocalEnvFile(options.localEnv);
  const started: Stoppable[] = [{ stop: async () => localEnvFile.remove() }];
  try {
    return await startParts(options, started, localEnvFile);
  } catch (error) {
    await stopParts(started);
    throw error;
  }
}

async function startParts(
  options: PipelineOptions,
  started: Stoppable[],
  localEnvFile: LocalEnvFile,
): Promise<Pipeline> {
  const { say, logger } = options;
  await requireFreePort(options.port);
  const dataDir = options.dataDir === undefined ? undefined : await takeDataDir(options.dataDir, say);
  if (dataDir !== undefined) started.push({ stop: async () => dataDir.lock.release() });
  say('starting the emulators …');
  if (options.dynamodb === 'java')
    say('warning: DynamoDB Local listens on all interfaces, not on 127.0.0.1 alone');
  const ports = new Map<string, number>();
  for (const name of Object.keys(FUNCTIONS)) ports.set(name, await freePort());
  // What a shell says of AWS would lead the SDK elsewhere: a profile counts more than keys.
  const own = withoutAwsSettings(options.environment);
  const engines = await startEngines(
    { ...options, environment: own, dataDir: dataDir?.path, ports },
    started,
  );
  const mapping = options.mapping === undefined ? {} : { TWINSTREAM_MAPPING: options.mapping };
  const environment = { ...own, ...emulatorEnvironment(engines.urls), ...mapping };

  say('starting the consumers …');
  const metrics = await startSupervisorMetrics();
  started.push({ stop: () => metrics.close() });
  const simulatorPort = options.simulator ? await freePort() : undefined;
  const metricsAt = (port: number) => `http://${LOOPBACK}:${port}${METRICS_PATH}`;
  const peers = [
    { process: 'supervisor', url: metrics.url },
    { process: 'emulators', url: engines.urls.metrics },
    ...[...ports].map(([process, port]) => ({ process, url: metricsAt(port) })),
    ...(simulatorPort === undefined ? [] : [{ process: 'device-simulator', url: metricsAt(simulatorPort) }]),
  ];
  const apps: SupervisedApp[] = [];
  let announce = () => {};
  const level = logLevelOf(options.environment.TWINSTREAM_LOG_LEVEL, 'warn');
  const run = async (
    name: string,
    main: string,
    args: readonly string[],
    { extra = {}, onErrorLine }: ChildExtras = {},
  ) => {
    const supervised = await supervise(
      {
        name,
        main,
        args,
        environment: { ...environment, TWINSTREAM_LOG_LEVEL: level, ...extra },
        onErrorLine,
        onRestarted: () => announce(),
      },
      logger,
    );
    started.push(supervised);
    apps.push(supervised);
    return supervised;
  };
  // The summary of each batch is written at level info: its numbers are read here, as CloudWatch reads them on AWS.
  const summaries = { TWINSTREAM_LOG_LEVEL: lowerLevel(level, 'info') };
  const readLog = (line: string) => {
    metrics.log.observe(line);
    if (isOfLevel(line, level)) process.stderr.write(`${line}\n`);
  };
  const hosts = Object.entries(FUNCTIONS).map(([name, module]) =>
    run(
      name,
      FUNCTION_HOST,
      ['--name', name, '--module', module, '--port', String(ports.get(name)), ...HOST_FLAGS],
      name === NAMES.projectorFunction ? { extra: summaries, onErrorLine: readLog } : {},
    ),
  );
  const api = run('query-api', import.meta.resolve('@twinstream/query-api/main'), [], {
    extra: {
      TWINSTREAM_API_PORT: String(options.port),
      TWINSTREAM_METRICS_PEERS: formatMetricsPeers(peers),
      ...(options.dashboardDir === undefined ? {} : { TWINSTREAM_DASHBOARD_DIR: options.dashboardDir }),
    },
  });
  const [{ firstLine }] = await Promise.all([api, ...hosts]);
  const { url: apiUrl }: { url: string } = JSON.parse(firstLine);
  announce = () => {
    const pids = [
      ...Object.entries(engines.pids),
      ...apps.map(({ name, pid }) => [name, pid() ?? 0] as const),
    ];
    localEnvFile.write({
      ...emulatorEnvironment(engines.urls),
      ...mapping,
      TWINSTREAM_API_URL: apiUrl,
      TWINSTREAM_PID: String(process.pid),
      ...Object.fromEntries(pids.map(([name, pid]) => [pidVariable(name), String(pid)])),
    });
  };
  announce();
  const simulator =
    simulatorPort === undefined ? undefined : startSimulator(options, environment, simulatorPort);

  const stop = async (): Promise<undefined> => {
    say('draining …');
    await simulator?.stop();
    await drain(apiUrl, logger);
    await stopParts(started);
    say('stopped');
  };
  const stopBroken = async (error: unknown): Promise<unknown> => {
    say('stopping what still runs …');
    await simulator?.stop(BROKEN_STOP_DEADLINE_MS);
    await stopParts(started, BROKEN_STOP_DEADLINE_MS);
    return error;
  };
  const asked = new Promise<'asked'>((resolveAsked) => {
    if (options.stopping.aborted) resolveAsked('asked');
    options.stopping.addEventListener('abort', () => resolveAsked('asked'), { once: true });
  });
  const broken = Promise.race(apps.map((supervised) => supervised.broken)).catch((error: unknown) => error);
  const first = Promise.race([asked, engines.ended, broken]);
  const ended = first.then((end) => (end === 'asked' ? stop() : stopBroken(end)));
  return { apiUrl, faultsUrl: engines.urls.faults, ended };
}

function startSimulator(
  { devices, rate }: PipelineOptions,
  environment: Environment,
  metricsPort: number,
): ChildApp {
  return startChildApp({
    name: 'device-simulator',
    main: import.meta.resolve('@twinstream/device-simulator/main'),
    args: [
      ...['--devices', String(devices), '--rate', String(rate), '--no-progress'],
      ...['--metrics-port', String(metricsPort)],
    ],
    environment,
    stopSignal: 'SIGINT',
  });
}

function pidVariable(name: string): string {
  return `TWINSTREAM_PID_${name.toUpperCase().replaceAll('-', '_')}`;
}
