import { createFaultInjector, FUNCTION_HOST, type Lambda, startLambda } from '@twinstream/local-aws/lambda';
import { createLogger } from '@twinstream/runtime';
import type { LabOptions } from './lab-options.ts';

const FUNCTION = 'lab';
const BATCHING_WINDOW_MS = 100;

/** A handler that an event source mapping invokes, in a process of its own. */
export interface HandlerHost {
  /** Runs the handler's host. */
  readonly command: readonly string[];
  /** Takes a line of the host's output: true where it was the host's own, which says where it listens. */
  take(line: string): boolean;
  /** The host is about to be killed: invocations wait until it is up again. */
  down(): void;
  close(): Promise<void>;
}

/** Undefined where a command reads the stream by itself. Nothing is given up: batches are tried again until they succeed. */
export async function startHandlerHost(
  { handler, handlerName, batchSize }: LabOptions,
  kinesisUrl: string,
): Promise<HandlerHost | undefined> {
  if (handler === undefined) return undefined;
  const lambda: Lambda = await startLambda({
    kinesis: kinesisUrl,
    functions: { [FUNCTION]: undefined },
    mappings: [
      {
        functionName: FUNCTION,
        streamName: 'lab',
        settings: {
          batchSize,
          batchingWindowMs: BATCHING_WINDOW_MS,
          parallelizationFactor: 1,
          reportBatchItemFailures: true,
          bisectBatchOnFunctionError: true,
          retryAttemptsMax: -1,
          recordAgeSecondsMax: -1,
          startingPosition: { type: 'TRIM_HORIZON' },
        },
      },
    ],
    injector: createFaultInjector(),
    logger: createLogger('lambda', 'error'),
  });
  let isUp = false;
  return {
    command: [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      FUNCTION_HOST,
      '--name',
      FUNCTION,
      '--module',
      handler,
      '--handler',
      handlerName,
    ],
    take: (line) => {
      if (isUp) return false;
      const url = urlIn(line);
      if (url === undefined) return false;
      isUp = true;
      lambda.setFunction(FUNCTION, url);
      return true;
    },
    down: () => {
      isUp = false;
      lambda.setFunction(FUNCTION, undefined);
    },
    close: () => lambda.close(),
  };
}

/** The address in the first line that the host prints: `{"url":"http://127.0.0.1:…","pid":…}`. */
function urlIn(line: string): string | undefined {
  if (!line.startsWith('{"url":')) return undefined;
  try {
    const { url } = JSON.parse(line) as { readonly url?: unknown };
    return typeof url === 'string' ? url : undefined;
  } catch {
    // A line of the handler's module, which is loaded before the host listens.
    return undefined;
  }
}
