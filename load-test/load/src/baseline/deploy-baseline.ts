import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { localAccess } from '@twinstream/end-to-end';
import { type EmulatorUrls, emulatorEnvironment } from '@twinstream/local-aws/names';
import { HOST_FLAGS, NODE_FLAGS } from '@twinstream/local-aws/process-settings';
import { NAMES } from '@twinstream/pipeline-settings';
import { CodedError } from '@twinstream/runtime';
import { freePort } from '@twinstream/runtime/free-port';
import { readyLine, readyMessage } from '@twinstream/test-kit';
import type { Deployment, DeploymentOptions } from '../deployment.ts';
import { localLoadSite } from '../load-site.ts';
import { stageLog } from '../stage-log.ts';
import { checkBaseline } from './check-baseline.ts';

/** Entries of the embedded AWS, each a process of its own, as the pipeline's supervisor starts them. */
const MAINS = {
  dynalite: new URL('../../../../infra/local-aws/src/dynamodb/dynalite-main.ts', import.meta.url),
  java: new URL('../../../../infra/local-aws/src/dynamodb/dynamodb-local-main.ts', import.meta.url),
  s3: new URL('../../../../infra/local-aws/src/s3/fauxqs-main.ts', import.meta.url),
  emulators: new URL('../../../../infra/local-aws/src/pipeline/emulators-main.ts', import.meta.url),
  functionHost: new URL('../../../../infra/local-aws/src/lambda/function-host.ts', import.meta.url),
};
const SIMULATE = fileURLToPath(
  new URL('../../../../producers/device-simulator/src/main.ts', import.meta.url),
);
const READY_MS_MAX = 90_000;
const STOP_DEADLINE_MS = 15_000;

/**
 * The baseline on the same embedded AWS: the same stream, tables, mapping settings, archiver and function host, with
 * a handler that puts and updates event by event in the place of the projector. No query API runs, which spares it work.
 */
export async function deployBaseline(options: DeploymentOptions): Promise<Deployment> {
  const log = stageLog();
  const started: ChildProcess[] = [];
  const stop = async () => {
    for (const child of started.reverse()) await end(child);
  };
  const run: Run = (main, args, environment) => {
    const child = spawn(process.execPath, [...NODE_FLAGS, fileURLToPath(main), ...args], {
      cwd: options.folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    started.push(child);
    if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', (line) => log.take(line));
    return child;
  };
  try {
    const environment = await deployParts(options, run);
    const access = localAccess(environment);
    const faultsUrl = environment.TWINSTREAM_FAULTS_URL ?? '';
    const site = localLoadSite({ access, faultsUrl, pipelinePid: process.pid });
    return {
      name: 'baseline',
      access,
      site,
      devicePrefix: '',
      log,
      runsHere: true,
      hasProgress: false,
      notes: [
        `${options.shardCount} shards, unaggregated records; no query API runs beside it`,
        'write units are those of writes that took effect; AWS bills failed conditions too',
      ],
      startSimulator: (...args) =>
        spawn(process.execPath, [...NODE_FLAGS, SIMULATE, ...args], {
          cwd: options.folder,
          env: { ...process.env, ...environment },
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      check: (work) => checkBaseline({ access, ...work }),
      stop: async () => {
        site.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Run = (main: URL, args: readonly string[], environment: NodeJS.ProcessEnv) => ChildProcess;

async function deployParts({ dynamodb, shardCount, windowMs }: DeploymentOptions, run: Run) {
  const [dynamoDbUrl, s3Url] = await Promise.all([
    readyUrl(run(MAINS[dynamodb], [], process.env)),
    readyUrl(run(MAINS.s3, [], process.env)),
  ]);
  const modules = {
    [NAMES.projectorFunction]: new URL('./baseline-lambda.ts', import.meta.url).href,
    [NAMES.archiverFunction]: import.meta.resolve('@twinstream/event-archiver/lambda'),
  };
  const ports = new Map<string, number>();
  for (const name of Object.keys(modules)) ports.set(name, await freePort());
  const functions = Object.fromEntries([...ports].map(([name, port]) => [name, `http://127.0.0.1:${port}`]));
  const emulators = run(MAINS.emulators, [], {
    ...process.env,
    EMULATORS_DYNAMODB_URL: dynamoDbUrl,
    EMULATORS_S3_URL: s3Url,
    EMULATORS_FUNCTIONS: JSON.stringify(functions),
    EMULATORS_SHARDS: String(shardCount),
    EMULATORS_WINDOW_MS: String(windowMs),
  });
  const urls: EmulatorUrls = JSON.parse(await firstLine(emulators));
  const environment = emulatorEnvironment(urls);
  const hosts = Object.entries(modules).map(([name, module]) =>
    run(
      MAINS.functionHost,
      ['--name', name, '--module', module, '--port', String(ports.get(name)), ...HOST_FLAGS],
      { ...process.env, ...environment, TWINSTREAM_LOG_LEVEL: 'info' },
    ),
  );
  await Promise.all(hosts.map(firstLine));
  return environment;
}

/** The address that an engine tells its parent when it serves. */
async function readyUrl(child: ChildProcess): Promise<string> {
  child.stdout?.resume();
  const message = await started(readyMessage(child, READY_MS_MAX));
  if (isReady(message)) return message.url;
  throw new CodedError('BASELINE_NOT_READY', `an engine of the embedded AWS said ${JSON.stringify(message)}`);
}

function isReady(message: unknown): message is { readonly url: string } {
  return (
    typeof message === 'object' && message !== null && 'url' in message && typeof message.url === 'string'
  );
}

function firstLine(child: ChildProcess): Promise<string> {
  return started(readyLine(child, { withinMs: READY_MS_MAX }));
}

async function started<Sign>(ready: Promise<Sign>): Promise<Sign> {
  try {
    return await ready;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CodedError('BASELINE_NOT_READY', `a part of the embedded AWS did not start: ${why}`, { cause });
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
  await exited;
  clearTimeout(kill);
}
