import { CodedError, type Environment } from '@twinstream/runtime';
import type { CommandHost } from './command-host.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';
import { isRefusal } from './refusal.ts';

/** Of errors whose message says all that is needed, of every command. */
const EXIT_CODES_OF_ERRORS: ReadonlyMap<string, ExitCode> = new Map<string, ExitCode>([
  ['INVALID_USAGE', EXIT_CODES.usage],
  ['INVALID_DURATION', EXIT_CODES.usage],
  ['INVALID_CONFIGURATION', EXIT_CODES.usage],
  ['INVALID_PROFILE', EXIT_CODES.usage],
  ['INVALID_TIME', EXIT_CODES.usage],
  ['TARGET_REQUIRED', EXIT_CODES.usage],
  ['NO_PIPELINE', EXIT_CODES.unavailable],
]);

/** Names by which Node and the SDK say that nothing answers. */
const NETWORK: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'ETIMEDOUT',
  'ECONNRESET',
  'EHOSTUNREACH',
]);
const CAUSES_MAX = 8;

export interface ExplainOptions {
  /** Where the command works, for the endpoint that does not answer. */
  readonly environment: Environment;
  /** Errors of this command whose message says all that is needed, beside those of every command. */
  readonly ownErrors?: ReadonlyMap<string, ExitCode>;
}

/** What went wrong, why, what to do next, and the exit code. */
export interface Failure {
  readonly text: string;
  readonly exitCode: ExitCode;
}

/** Explains an error to the person who ran a command. Never throws. */
export function explainFailure(error: unknown, { environment, ownErrors }: ExplainOptions): Failure {
  if (error instanceof CodedError) {
    const exitCode = ownErrors?.get(error.code) ?? EXIT_CODES_OF_ERRORS.get(error.code);
    if (exitCode !== undefined) return { text: error.message, exitCode };
    if (isRefusal(error)) {
      return { text: `refused (${error.code}): ${error.message}`, exitCode: EXIT_CODES.refused };
    }
  }
  const root = rootOf(error);
  const name = root instanceof Error ? root.name : '';
  const message = root instanceof Error ? root.message : String(root);
  if (isUnreachable(root) || name === 'CredentialsProviderError') {
    return { text: `${message}\n${whereToLook(environment)}`, exitCode: EXIT_CODES.unavailable };
  }
  if (name === 'ResourceNotFoundException' || name === 'NoSuchBucket') {
    const hint = 'check the TWINSTREAM_… variables, or that the pipeline is set up';
    return { text: `${message}: ${hint}`, exitCode: EXIT_CODES.unavailable };
  }
  if (isFault(root)) {
    return { text: `a fault of this program: ${root.stack ?? message}`, exitCode: EXIT_CODES.internalError };
  }
  const code = error instanceof CodedError ? `${error.code}: ` : '';
  const told = error instanceof Error ? error.message : String(error);
  const isTransient = error instanceof CodedError && error.retryable;
  const next = isTransient ? '\nThis may pass: run the same command again.' : '';
  return { text: `${code}${told}${next}`, exitCode: EXIT_CODES.unavailable };
}

/** Tells of an error that no command expects, with its stack. */
export function internalFailure(error: unknown, { stderr }: Pick<CommandHost, 'stderr'>): ExitCode {
  stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return EXIT_CODES.internalError;
}

function rootOf(error: unknown): unknown {
  let root = error;
  for (let depth = 0; depth < CAUSES_MAX; depth += 1) {
    if (!(root instanceof Error) || !(root.cause instanceof Error)) return root;
    root = root.cause;
  }
  return root;
}

/** What the language itself throws, and no service. */
function isFault(error: unknown): error is Error {
  return [TypeError, RangeError, ReferenceError, SyntaxError].some((kind) => error instanceof kind);
}

function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string' && NETWORK.has(error.code)) return true;
  return error instanceof AggregateError && error.errors.some(isUnreachable);
}

function whereToLook(environment: Environment): string {
  const endpoint = environment.AWS_ENDPOINT_URL_DYNAMODB ?? environment.AWS_ENDPOINT_URL;
  return endpoint === undefined
    ? 'The request went to AWS: check the network, the region and the credentials.'
    : `The pipeline should answer at ${endpoint}: is it running?`;
}
