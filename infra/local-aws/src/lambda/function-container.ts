import { Worker } from 'node:worker_threads';
import { CodedError } from '@twinstream/runtime';
import type {
  ContainerMessage,
  ContainerRequest,
  ContainerSetup,
  ErrorDocument,
} from './container-message.ts';

/** Room for what one batch makes and drops: V8's own default for a thread of 64 bits copies most of it repeatedly. */
const YOUNG_GENERATION_MB = 192;

/** What one invocation gave. */
export type ContainerOutcome =
  | { readonly kind: 'answered'; readonly payload: string }
  | { readonly kind: 'failed'; readonly error: ErrorDocument };

/**
 * An execution environment: one instance of the function's modules that runs one invocation at a time and keeps what
 * it holds between them. A thread, because only a thread has module instances, globals and an event loop of its own and
 * can be ended when a handler overruns its time, at a tenth of what a process costs.
 */
export class FunctionContainer {
  readonly #worker: Worker;
  readonly #timeoutMs: number;
  #alive = true;
  #settle: ((outcome: ContainerOutcome) => void) | undefined;

  private constructor(worker: Worker, timeoutMs: number) {
    this.#worker = worker;
    this.#timeoutMs = timeoutMs;
  }

  /** Loads the function. Throws `FUNCTION_BROKEN` when its module fails to load or lacks the handler. */
  static async start(setup: ContainerSetup, timeoutMs: number): Promise<FunctionContainer> {
    const worker = new Worker(new URL('./container-thread.ts', import.meta.url), {
      workerData: setup,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    const container = new FunctionContainer(worker, timeoutMs);
    await new Promise<void>((resolve, reject) => {
      worker.once('message', (message: ContainerMessage) => {
        if (message.kind !== 'broken') return resolve();
        const { errorType, errorMessage } = message.error;
        reject(new CodedError('FUNCTION_BROKEN', `${setup.functionName}: ${errorType}: ${errorMessage}`));
      });
      worker.once('error', (error) =>
        reject(
          new CodedError('FUNCTION_BROKEN', `${setup.functionName}: ${error.message}`, { cause: error }),
        ),
      );
    });
    worker.on('message', (message: ContainerMessage) => {
      if (message.kind === 'answered' || message.kind === 'failed') container.#finish(message);
    });
    worker.on('error', (error) => container.#die('Runtime.UnhandledPromiseRejection', error.message));
    worker.on('exit', (code) => container.#die('Runtime.ExitError', `Runtime exited with code ${code}`));
    return container;
  }

  /** False once the thread has ended: it serves no more. */
  get isAlive(): boolean {
    return this.#alive;
  }

  /**
   * Runs one invocation; never two at a time. A handler that overruns the function's timeout ends with its container,
   * as on Lambda.
   */
  invoke(requestId: string, payload: ArrayBuffer): Promise<ContainerOutcome> {
    if (this.#settle || !this.#alive) throw new TypeError('a container runs one invocation at a time');
    const request: ContainerRequest = { requestId, payload, deadlineMs: Date.now() + this.#timeoutMs };
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        const seconds = (this.#timeoutMs / 1_000).toFixed(2);
        const message = `${new Date().toISOString()} ${requestId} Task timed out after ${seconds} seconds`;
        this.#die('Sandbox.Timedout', message);
      }, this.#timeoutMs);
      this.#settle = (outcome) => {
        clearTimeout(timer);
        resolve(outcome);
      };
      this.#worker.postMessage(request, [payload]);
    });
  }

  async close(): Promise<void> {
    this.#alive = false;
    await this.#worker.terminate();
  }

  #finish(outcome: ContainerOutcome): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(outcome);
  }

  #die(errorType: string, errorMessage: string): void {
    this.#alive = false;
    this.#finish({ kind: 'failed', error: { errorType, errorMessage } });
    void this.#worker.terminate();
  }
}
