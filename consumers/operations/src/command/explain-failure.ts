import { CodedError, type Environment } from '@twinstream/runtime';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';
import { isRefusal } from './refusal.ts';

const USAGE_CODES = new Set([
  'INVALID_USAGE',
  'INVALID_DURATION',
  'INVALID_CONFIGURATION',
  'INVALID_TIME',
  'TARGET_REQUIRED',
]);

/** Names by which the SDK says that nothing answers, or that there are no credentials. */
const NETWORK = new Set(['ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT', 'ECONNRESET', 'EHOSTUNREACH']);

/** What went wrong, why, what to do next, and the exit code. */
export function explainFailure(
  error: unknown,
  environment: Environment,
): { readonly text: string; readonly exitCode: ExitCode } {
  if (error instanceof CodedError) {
    if (USAGE_CODES.has(error.code)) return { text: error.message, exitCode: EXIT_CODES.wrongUsage };
    if (error.code === 'NO_PIPELINE') return { text: error.message, exitCode: EXIT_CODES.unavailable };
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
    return { text: `a fault of this program: ${root.stack ?? message}`, exitCode: EXIT_CODES.fault };
  }
  const code = error instanceof CodedError ? `${error.code}: ` : '';
  const told = error instanceof Error ? error.message : String(error);
  const isTransient = error instanceof CodedError && error.retryable;
  const next = isTransient ? '\nThis may pass: run the same command again.' : '';
  return { text: `${code}${told}${next}`, exitCode: EXIT_CODES.unavailable };
}

function rootOf(error: unknown): unknown {
  let root = error;
  for (let depth = 0; depth < 8; depth += 1) {
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
