import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CodedError, type Environment } from '@twinstream/runtime';
import { NODE_FLAGS } from './process-settings.ts';

const READY_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 15_000;
const END_WITH_PARENT = new URL('../child-process/end-with-parent.ts', import.meta.url).href;

export interface ChildAppOptions {
  readonly name: string;
  /** The app's entry, as a module specifier URL or an absolute path. */
  readonly main: string;
  readonly args?: readonly string[];
  /** All of its environment: nothing else is inherited. */
  readonly environment: Environment;
  /** What asks it to finish. Default: SIGTERM. */
  readonly stopSignal?: 'SIGINT' | 'SIGTERM';
  /** Is given each line of its standard error, in place of that of this process. */
  readonly onErrorLine?: ((line: string) => void) | undefined;
}

/** A process of one of the project's apps. It ends when this process ends, however that comes about. */
export interface ChildApp {
  readonly name: string;
  readonly pid: number | undefined;
  /** Resolves when the process has ended, with its exit code or the signal's name. */
  readonly exited: Promise<number | string>;
  /** First line that the app prints on standard output. Rejects with `APP_NOT_READY` when it ends or says nothing. */
  firstLine(): Promise<string>;
  /** Asks it to finish and waits; kills it after 15 s, or when it is told. */
  stop(deadlineMs?: number): Promise<void>;
}

/** Runs an app in a process group of its own, so that Ctrl-C in a terminal reaches it only through its supervisor. */
export function startChildApp({
  name,
  main,
  args = [],
  environment,
  stopSignal = 'SIGTERM',
  onErrorLine,
}: ChildAppOptions): ChildApp {
  const file = main.startsWith('file:') ? fileURLToPath(main) : main;
  const flags = [...NODE_FLAGS, '--import', END_WITH_PARENT];
  const child = spawn(process.execPath, [...flags, file, ...args], {
    stdio: ['ignore', 'pipe', onErrorLine === undefined ? 'inherit' : 'pipe', 'ipc'],
    env: environment,
    detached: true,
  });
  if (child.stderr !== null)
    createInterface({ input: child.stderr }).on('line', (line) => onErrorLine?.(line));
  const exited = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    child.once('error', (error) => resolve(error.message));
  });
  const line = readFirstLine(child);
  return {
    name,
    pid: child.pid,
    exited,
    firstLine: () => within(READY_DEADLINE_MS, name, line, exited),
    stop: async (deadlineMs = STOP_DEADLINE_MS) => {
      child.kill(stopSignal);
      const kill = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
      await exited;
      clearTimeout(kill);
    },
  };
}

function readFirstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', resolve);
  });
}

async function within(
  ms: number,
  name: string,
  line: Promise<string>,
  exited: Promise<number | string>,
): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const silent = new Promise<never>((_, reject) => {
    const error = new CodedError('APP_NOT_READY', `${name} was not ready after ${ms} ms`);
    timer = setTimeout(() => reject(error), ms);
  });
  const ended = exited.then((how): never => {
    throw new CodedError('APP_NOT_READY', `${name} ended before it was ready (${how})`);
  });
  try {
    return await Promise.race([line, ended, silent]);
  } finally {
    clearTimeout(timer);
  }
}
