import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { PipelineStatus } from '@twinstream/api-contract';
import { NODE_FLAGS } from '@twinstream/local-aws/process-settings';
import { findLocalEnvironment } from '@twinstream/runtime';
import { type Finished, finished, readyLine, runNode } from '@twinstream/test-kit';

const START = fileURLToPath(new URL('../../../infra/local-aws/src/pipeline/start.ts', import.meta.url));
const END_WITH_PARENT = new URL(
  '../../../infra/local-aws/src/child-process/end-with-parent.ts',
  import.meta.url,
).href;
const SIMULATE = fileURLToPath(new URL('../../../producers/device-simulator/src/main.ts', import.meta.url));
const READY_MS_MAX = 90_000;
const POLL_MS = 200;

/** A pipeline in processes of its own, with a folder of its own. */
export interface RunningPipeline {
  /** Process id of its supervisor, whose descendants are all the other processes. */
  readonly pid: number;
  /** Variables of `.twinstream/local.env`. */
  readonly environment: Readonly<Record<string, string>>;
  /** The same as they are now: process ids change when an app dies and is started again. */
  environmentNow(): Readonly<Record<string, string>>;
  readonly apiUrl: string;
  /** Runs the simulator against it to its end. */
  simulate(...args: string[]): Promise<Finished>;
  /** A simulator that is under way. */
  startSimulator(...args: string[]): ChildProcess;
  /** Resolves when everything that was put before this call is stored or in quarantine, as the API says. */
  caughtUp(): Promise<void>;
  /** Its exit code, when it has ended, by whatever cause. */
  readonly ended: Promise<number | null>;
  /** Asks it to stop, as Ctrl-C does, and resolves to its exit code. */
  stop(): Promise<number | null>;
}

/** A folder that is gone after `dispose`. */
export function temporaryFolder(): { readonly path: string; dispose(): void } {
  const path = mkdtempSync(join(tmpdir(), 'twinstream-'));
  return { path, dispose: () => rmSync(path, { recursive: true, force: true }) };
}

/** Runs `npm start` without npm, on a free port, with `folder` as its working directory. */
export function runPipeline(folder: string, ...flags: string[]): Promise<RunningPipeline> {
  return launchPipeline({ folder, flags });
}

export interface PipelineLaunch {
  readonly folder: string;
  readonly flags: readonly string[];
  /** Variables besides those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Is given each line of standard error, that of the functions included. */
  readonly onErrorLine?: (line: string) => void;
}

/** Runs a pipeline as {@link runPipeline} does, in an environment of its own, and reads what its processes log. */
export async function launchPipeline(launch: PipelineLaunch): Promise<RunningPipeline> {
  const { folder, flags, environment: extra = {}, onErrorLine } = launch;
  const child = spawn(
    process.execPath,
    [
      ...['--disable-warning=ExperimentalWarning', '--import', END_WITH_PARENT],
      ...[START, '--port', '0', '--no-simulator', ...flags],
    ],
    // The channel tells it that this process is gone, however that came about.
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env: { ...process.env, ...extra } },
  );
  if (child.stderr === null) throw new TypeError('no standard error');
  createInterface({ input: child.stderr }).on('line', (line) => onErrorLine?.(line));
  child.channel?.unref();
  const ended = once(child, 'exit').then(([code]): number | null => code);
  await readyLine(child, { isReady: (line) => line.startsWith('Ctrl-C'), withinMs: READY_MS_MAX });
  const environmentNow = () => readEnvironment(folder);
  const environment = environmentNow();
  const apiUrl = environment.TWINSTREAM_API_URL ?? '';
  const startSimulator = (...args: string[]) => startSimulatorIn(folder, environment, args);
  return {
    pid: child.pid ?? 0,
    environment,
    environmentNow,
    apiUrl,
    ended,
    startSimulator,
    simulate: (...args) => finished(startSimulator(...args)),
    caughtUp: () => caughtUp(apiUrl),
    stop: async () => {
      child.kill('SIGINT');
      return ended;
    },
  };
}

/** A simulator in `folder`, with these variables besides those of this process. It ends when this process ends, too. */
export function startSimulatorIn(
  folder: string,
  environment: Readonly<Record<string, string>>,
  args: readonly string[],
): ChildProcess {
  const child = spawn(process.execPath, [...NODE_FLAGS, '--import', END_WITH_PARENT, SIMULATE, ...args], {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  child.channel?.unref();
  return child;
}

/** Runs `npm start` with flags that it should refuse. */
export function refusedStart(folder: string, ...flags: string[]): Promise<Finished> {
  const args = ['--disable-warning=ExperimentalWarning', START, ...flags];
  return runNode(args, { cwd: folder });
}

function readEnvironment(folder: string): Readonly<Record<string, string>> {
  const file = findLocalEnvironment(folder);
  if (file === undefined) throw new Error(`no pipeline runs in ${folder}`);
  return file.variables;
}

async function caughtUp(apiUrl: string): Promise<void> {
  const callTime = Date.now();
  while (true) {
    const response = await fetch(`${apiUrl}/v1/pipeline`);
    if (response.ok) {
      const { asOf, shards } = (await response.json()) as PipelineStatus;
      if (Date.parse(asOf) > callTime && shards.every(({ lagMs }) => lagMs === 0)) return;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
