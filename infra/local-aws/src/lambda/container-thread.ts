import { randomUUID } from 'node:crypto';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type {
  ContainerMessage,
  ContainerRequest,
  ContainerSetup,
  ErrorDocument,
} from './container-message.ts';
import { type LambdaContext, lambdaContext } from './lambda-context.ts';

type Handler = (event: unknown, context: LambdaContext) => unknown;

// Entry of a container: a thread with module instances of its own that runs one invocation at a time.
const setup: ContainerSetup = workerData;
const logStreamName = `local/[$LATEST]${randomUUID().replaceAll('-', '')}`;
if (parentPort === null) throw new TypeError('a container runs in a worker thread');
await serve(parentPort);

async function serve(host: MessagePort): Promise<void> {
  const say = (message: ContainerMessage) => host.postMessage(message);
  let handler: Handler;
  try {
    handler = await loadHandler();
  } catch (error) {
    return say({ kind: 'broken', error: errorDocument(error) });
  }
  host.on('message', (request: ContainerRequest) => {
    void run(handler, request).then(say);
  });
  say({ kind: 'ready' });
}

async function loadHandler(): Promise<Handler> {
  const module: Record<string, unknown> = await import(setup.moduleUrl);
  const handler = module[setup.handler];
  if (!isHandler(handler)) {
    throw Object.assign(new Error(`${setup.moduleUrl} exports no function ${setup.handler}`), {
      name: 'Runtime.HandlerNotFound',
    });
  }
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own } = process.env;
  if (base === undefined && own === undefined) return handler;
  // Loaded where spans go anywhere alone: a container starts in tens of milliseconds.
  const { tracedByEnvironment } = await import('./traced-handler.ts');
  return tracedByEnvironment(handler, setup.functionName, process.env);
}

function isHandler(value: unknown): value is Handler {
  return typeof value === 'function';
}

async function run(handler: Handler, request: ContainerRequest): Promise<ContainerMessage> {
  const { requestId, deadlineMs } = request;
  try {
    const event: unknown = JSON.parse(Buffer.from(request.payload).toString('utf8'));
    const { functionName, functionArn } = setup;
    const now = () => Date.now();
    const context = lambdaContext({ functionName, functionArn, requestId, deadlineMs, logStreamName, now });
    const result = await handler(event, context);
    return { kind: 'answered', payload: JSON.stringify(result) ?? 'null' };
  } catch (error) {
    return { kind: 'failed', error: errorDocument(error) };
  }
}

function errorDocument(error: unknown): ErrorDocument {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error) };
  const trace = error.stack?.split('\n') ?? [];
  return { errorType: error.name, errorMessage: error.message, trace };
}
