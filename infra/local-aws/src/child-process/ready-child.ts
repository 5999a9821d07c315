import { type ChildProcess, spawn } from 'node:child_process';
import { CodedError } from '@twinstream/runtime';
import { isReadyMessage, type ReadyMessage } from './ready-message.ts';

/** Time from spawn to ready; Java on a busy machine takes several seconds. */
const READY_DEADLINE_MS = 60_000;
/** Time from SIGTERM to the end, after which the child is killed. */
const STOP_DEADLINE_MS = 10_000;
/** Characters of the child's standard error kept to explain its death. */
const ERROR_TAIL_CHARACTERS = 4_000;

/** How a child ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last of its standard error. */
  readonly errorTail: string;
}

/** A child process that serves at an address. */
export interface ReadyChild {
  readonly url: string;
  /** Process that serves. */
  readonly pid: number;
  /** Resolves when the child has ended, for whatever reason. */
  readonly exited: Promise<ChildExit>;
  /** Asks it to finish (SIGTERM) and waits; kills it after 10 s, or when it is told. */
  close(deadlineMs?: number): Promise<void>;
}

/**
 * Runs a Node main file as a child that reports readiness over IPC and ends with this process. Throws what the child
 * reported, or `CHILD_NOT_READY` when it dies or stays silent for a minute.
 *
 * @param mainFile absolute path of the child's entry
 */
export async function startReadyChild(mainFile: string, args: readonly string[]): Promise<ReadyChild> {
  // node:sqlite and other parts of the engines are still marked experimental in Node 24.
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', mainFile, ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // In a process group of its own: Ctrl-C in a terminal must reach it through its parent alone.
    detached: true,
  });
  const exited = watchExit(child);
  const message = await firstMessage(child, exited, mainFile);
  if (message.kind === 'failed') {
    await exited;
    throw new CodedError(message.code, message.message);
  }
  return {
    url: message.url,
    pid: message.pid,
    exited,
    close: (deadlineMs) => stop(child, exited, deadlineMs),
  };
}

function watchExit(child: ChildProcess): Promise<ChildExit> {
  let errorTail = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errorTail = (errorTail + text).slice(-ERROR_TAIL_CHARACTERS);
  });
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, errorTail }));
    child.once('error', (error) => resolve({ code: null, signal: null, errorTail: error.message }));
  });
}

async function firstMessage(
  child: ChildProcess,
  exited: Promise<ChildExit>,
  mainFile: string,
): Promise<ReadyMessage> {
  let deadline: NodeJS.Timeout | undefined;
  const silent = new Promise<never>((_, reject) => {
    deadline = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new CodedError('CHILD_NOT_READY', `${mainFile} was not ready after ${READY_DEADLINE_MS} ms`));
    }, READY_DEADLINE_MS);
  });
  const told = new Promise<ReadyMessage>((resolve) => {
    child.on('message', (message) => {
      if (isReadyMessage(message)) resolve(message);
    });
  });
  const died = exited.then(({ code, signal, errorTail }): never => {
    const how = signal === null ? `code ${code}` : signal;
    throw new CodedError('CHILD_NOT_READY', `${mainFile} ended with ${how}: ${errorTail.trim()}`);
  });
  try {
    return await Promise.race([told, died, silent]);
  } finally {
    clearTimeout(deadline);
  }
}

async function stop(
  child: ChildProcess,
  exited: Promise<ChildExit>,
  deadlineMs = STOP_DEADLINE_MS,
): Promise<void> {
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  await exited;
  clearTimeout(kill);
}
