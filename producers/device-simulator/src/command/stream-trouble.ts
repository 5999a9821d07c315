import { CodedError, type Environment } from '@twinstream/runtime';

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ECONNRESET',
  'ETIMEDOUT',
  'TimeoutError',
]);
const CAUSES_MAX = 8;

/** What went wrong with the stream, and what to do about it. Anything else comes back as its message. */
export function explainStreamTrouble(error: unknown, stream: string, environment: Environment): string {
  const causes = causesOf(error);
  const names = new Set(causes.flatMap(namesOf));
  const message = error instanceof Error ? error.message : String(error);
  const where = endpointOf(environment);
  if (names.has('ResourceNotFoundException')) {
    return `there is no stream ${JSON.stringify(stream)} at ${where}: start the pipeline with npx twinstream start, or name another stream with --stream`;
  }
  if (causes.some((cause) => /region is missing/i.test(String(cause)))) {
    return 'no AWS region is set: start the pipeline with npx twinstream start, or set AWS_REGION and what else the AWS SDK needs';
  }
  if (names.has('CredentialsProviderError')) {
    return 'no AWS credentials are set: start the pipeline with npx twinstream start, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
  }
  const unreachable = [...names].find((name) => UNREACHABLE.has(name));
  if (unreachable !== undefined) {
    return `nothing answers at ${where} (${unreachable}): is the pipeline running? npx twinstream start starts it`;
  }
  return error instanceof CodedError ? `${message} (${error.code})` : message;
}

function endpointOf(environment: Environment): string {
  const endpoint = environment.AWS_ENDPOINT_URL_KINESIS || environment.AWS_ENDPOINT_URL;
  return endpoint || `Amazon Kinesis in ${environment.AWS_REGION ?? 'the default region'}`;
}

/** The error and what caused it, an AggregateError's parts included. */
function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = [error];
  for (const cause of causes) {
    if (causes.length > CAUSES_MAX || !(cause instanceof Error)) break;
    if (cause.cause !== undefined) causes.push(cause.cause);
    if (cause instanceof AggregateError) causes.push(...cause.errors);
  }
  return causes;
}

function namesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  return 'code' in error && typeof error.code === 'string' ? [error.name, error.code] : [error.name];
}
