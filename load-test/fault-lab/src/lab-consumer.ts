import { type ChildProcess, spawn } from 'node:child_process';
import { type Environment, readLines } from '@twinstream/runtime';

/** Characters of standard error that are kept to explain an end. */
const ERROR_TAIL_CHARACTERS = 4_000;
const LINE_BYTES_MAX = 4 * 1_024 * 1_024;
/** Time from SIGTERM to SIGKILL. */
const STOP_DEADLINE_MS = 10_000;
/** Time from SIGKILL until its output is given up, which a process outside of its group may hold open. */
const OUTPUT_GRACE_MS = 1_000;

/** Kills the process group of its argument once its standard input has ended, which it does when the lab is gone. */
const WATCH_LAB = 'while read -r line; do :; done; kill -KILL "-$1"';

export interface LabConsumerOptions {
  readonly command: readonly string[];
  readonly folder: string;
  readonly environment: Environment;
  /** Told of each line of standard output. */
  readonly onLine: (line: string) => void;
}

/** How the consumer ended by itself. */
export interface ConsumerEnd {
  /** `exit code 1`, `SIGSEGV`, or why it did not start. */
  readonly how: string;
  readonly errorTail: string;
}

/** The consumer that is being watched: one process at a time, with the processes that it started. */
export class LabConsumer {
  /** Set when it has ended without being asked to. */
  end: ConsumerEnd | undefined;
  readonly #options: LabConsumerOptions;
  #child: ChildProcess | undefined;
  #closed: Promise<void> = Promise.resolve();
  #isStopping = false;
  readonly #killAtExit = () => this.#signal('SIGKILL');

  constructor(options: LabConsumerOptions) {
    this.#options = options;
    // A second Ctrl-C, or an error that nobody caught, ends this process without a stop.
    process.once('exit', this.#killAtExit);
  }

  start(): void {
    const { command, folder, environment } = this.#options;
    const [file = '', ...args] = command;
    // In a process group of its own, so that what a wrapper such as npx or java's launcher starts is stopped, too.
    const child = spawn(file, args, {
      cwd: folder,
      env: { ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    this.#isStopping = false;
    let errorTail = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errorTail = (errorTail + text).slice(-ERROR_TAIL_CHARACTERS);
    });
    const read = this.#read(child.stdout).catch((error: unknown) => {
      // Given up: see #kill.
      if (!this.#isStopping) throw error;
    });
    const watcher = child.pid === undefined ? undefined : watchLab(child.pid);
    const exited = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(`did not start: ${error.message}`));
      child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    }).finally(() => watcher?.kill('SIGKILL'));
    this.#closed = exited.then(async (how) => {
      await read;
      if (!this.#isStopping) this.end = { how, errorTail: errorTail.trim() };
    });
  }

  /** Kills it as a failing machine would, and starts it again. */
  async restart(): Promise<void> {
    this.#isStopping = true;
    this.#kill();
    await this.#closed;
    this.start();
  }

  /** Asks it to end, and kills it after 10 s. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#signal('SIGTERM');
    const timer = setTimeout(() => this.#kill(), STOP_DEADLINE_MS);
    await this.#closed;
    clearTimeout(timer);
    // What it started may have ignored SIGTERM.
    this.#signal('SIGKILL');
    process.off('exit', this.#killAtExit);
  }

  #kill(): void {
    const child = this.#child;
    this.#signal('SIGKILL');
    setTimeout(() => {
      child?.stdout?.destroy();
      child?.stderr?.destroy();
    }, OUTPUT_GRACE_MS).unref();
  }

  async #read(output: AsyncIterable<Uint8Array>): Promise<void> {
    const lines = readLines(output, {
      name: 'standard output of the consumer',
      lineBytesMax: LINE_BYTES_MAX,
      // What is so long is no report of a record.
      onTooLong: () => undefined,
    });
    for await (const { text } of lines) this.#options.onLine(text);
  }

  #signal(name: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, name);
    } catch (error) {
      // Gone already.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}

/** A lab that is killed (SIGKILL, a terminal that closes) cannot stop its consumer: a process beside it does. */
function watchLab(consumerPid: number): ChildProcess {
  return spawn('/bin/sh', ['-c', WATCH_LAB, 'watch-lab', String(consumerPid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Not in the group of the lab, which a terminal's signals reach.
    detached: true,
  });
}
