import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const READY_MS_MAX = 90_000;
/** Characters of standard error that are kept to explain why nothing started. */
const ERROR_CHARACTERS_MAX = 64 * 1_024;

/** What a process printed and how it ended. */
export interface Finished {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Collects what a child with pipes prints from now to its end. */
export async function finished(child: ChildProcess): Promise<Finished> {
  const stdout = collected(child.stdout);
  const stderr = collected(child.stderr);
  const [code] = await once(child, 'close');
  return { code, stdout: stdout(), stderr: stderr() };
}

/** Runs a file with Node to its end. */
export function runNode(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Finished> {
  return finished(spawn(process.execPath, [...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] }));
}

export interface ReadyOptions {
  /** Whether a line says that the child is ready. Default: the first line does. */
  readonly isReady?: (line: string) => boolean;
  /** Default: 90 seconds. */
  readonly withinMs?: number;
}

/**
 * Resolves to the line of standard output by which a child says that it is ready; lines after it are dropped. A child that is not
 * ready in time is killed. Rejects with what it wrote to standard error when it ends before or is late.
 */
export async function readyLine(child: ChildProcess, options: ReadyOptions = {}): Promise<string> {
  const { isReady = () => true, withinMs = READY_MS_MAX } = options;
  if (child.stdout === null) throw new TypeError('standard output is not a pipe');
  const lines = createInterface({ input: child.stdout });
  const line = await ready<string>(child, withinMs, (resolve) => {
    lines.on('line', (text) => {
      if (isReady(text)) resolve(text);
    });
  });
  lines.close();
  child.stdout.resume();
  return line;
}

/** Resolves to the first message of a child with a channel. Ends and errors as {@link readyLine} says. */
export function readyMessage(child: ChildProcess, withinMs = READY_MS_MAX): Promise<unknown> {
  return ready(child, withinMs, (resolve) => child.once('message', resolve));
}

/** Kills a child that still runs, and resolves when it has ended. */
export async function kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

async function ready<Sign>(
  child: ChildProcess,
  withinMs: number,
  listen: (resolve: (sign: Sign) => void) => void,
): Promise<Sign> {
  const errors = collected(child.stderr, ERROR_CHARACTERS_MAX);
  const { promise, resolve, reject } = Promise.withResolvers<Sign>();
  const onClose = (code: number | null) =>
    reject(new Error(`ended with ${code} before it was ready: ${errors()}`));
  child.once('error', reject);
  child.once('close', onClose);
  const late = () => reject(new Error(`not ready within ${withinMs} ms: ${errors()}`));
  const timer = setTimeout(late, withinMs);
  listen(resolve);
  try {
    return await promise;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
    child.off('error', reject);
    child.off('close', onClose);
  }
}

function collected(stream: ChildProcess['stdout'], charactersMax = Number.POSITIVE_INFINITY): () => string {
  let text = '';
  stream?.setEncoding('utf8').on('data', (chunk: string) => {
    if (text.length < charactersMax) text += chunk;
  });
  return () => text;
}
