import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { CodedError } from '@twinstream/runtime';
import { z } from 'zod';
import { endWithParent } from '../child-process/parent-watch.ts';
import { ASSIGNMENTS } from './assignment.ts';
import { startFunctionServer } from './function-server.ts';

const USAGE = `usage: function-host.ts --name NAME --module PATH [--handler handler] [--port 0]
  [--timeout-ms 60000] [--concurrency 10] [--assignment sticky|rotate|home]`;

/** Lambda ends a function after 15 minutes at most ("Lambda quotas", developer guide, read 2026-11). */
const TIMEOUT_MS_MAX = 900_000;

const ARGUMENTS = z.strictObject({
  name: z.string().min(1),
  module: z.string().min(1),
  handler: z.string().min(1).default('handler'),
  port: z.coerce.number().int().min(0).max(65_535).default(0),
  'timeout-ms': z.coerce.number().int().min(1).max(TIMEOUT_MS_MAX).default(60_000),
  concurrency: z.coerce.number().int().min(1).max(1_000).default(10),
  assignment: z.enum(ASSIGNMENTS).default('sticky'),
});

// A process that hosts one Lambda function. It prints one line of JSON, {"url","pid"}, when the function can be invoked,
// finishes the invocations under way on SIGTERM or when its parent is gone, and then exits with 0.
try {
  await main();
} catch (error) {
  const text = error instanceof CodedError ? `${error.code}: ${error.message}` : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

async function main(): Promise<void> {
  const parsed = ARGUMENTS.safeParse(readArguments());
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`);
    throw new CodedError('INVALID_ARGUMENTS', [...faults, USAGE].join('\n'));
  }
  const { name, module, handler, port, concurrency, assignment } = parsed.data;
  const server = await startFunctionServer({
    functionName: name,
    moduleUrl: module.startsWith('file:') ? module : pathToFileURL(resolve(module)).href,
    handler,
    timeoutMs: parsed.data['timeout-ms'],
    concurrency,
    assignment,
    port,
    onError: (error) => process.stderr.write(`${String(error)}\n`),
  });
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    void server.close().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  // Ctrl-C reaches the whole process group; a host with a parent waits for it, which may have things to drain first.
  process.on('SIGINT', () => {
    if (!process.connected) stop();
  });
  endWithParent(stop);
  process.stdout.write(`${JSON.stringify({ url: server.url, pid: process.pid })}\n`);
}

function readArguments(): Record<string, unknown> {
  const text = { type: 'string' } as const;
  const options = {
    name: text,
    module: text,
    handler: text,
    port: text,
    'timeout-ms': text,
    concurrency: text,
    assignment: text,
  };
  try {
    return { ...parseArgs({ options }).values };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new CodedError('INVALID_ARGUMENTS', `${detail}\n${USAGE}`, { cause: error });
  }
}
