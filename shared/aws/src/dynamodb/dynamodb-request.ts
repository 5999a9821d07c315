import { ConditionalCheckFailedException, DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import { CodedError } from '@twinstream/runtime';

/** Errors by which DynamoDB says "later": API reference, "Error handling with DynamoDB", read 2026-11. */
const THROTTLES = new Set([
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/**
 * Sends one request and maps its failure to a stable code:
 *
 * - `DYNAMODB_THROTTLED`, retryable: the SDK's own tries were used up.
 * - `DYNAMODB_UNAVAILABLE`, retryable: no answer, or one that blames the server. A write may have happened.
 * - `DYNAMODB_REFUSED`: the request itself is at fault (rights, names, sizes).
 *
 * An aborted signal rejects with its own reason; a write that was under way may have happened. A failed condition is an
 * outcome, and passes as it is.
 */
export async function dynamoDbRequest<Answer>(
  signal: AbortSignal | undefined,
  send: (options: { abortSignal?: AbortSignal }) => Promise<Answer>,
): Promise<Answer> {
  signal?.throwIfAborted();
  try {
    return await send(signal === undefined ? {} : { abortSignal: signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof ConditionalCheckFailedException ? error : coded(error);
  }
}

/** Pages of one of the SDK's paginators, asked for as they are consumed. Fails as {@link dynamoDbRequest} does. */
export async function* dynamoDbPages<Page>(
  signal: AbortSignal | undefined,
  paginate: (options: { abortSignal?: AbortSignal }) => AsyncGenerator<Page, unknown>,
): AsyncGenerator<Page> {
  const pages = paginate(signal === undefined ? {} : { abortSignal: signal });
  for (;;) {
    const { done = false, value } = await dynamoDbRequest(signal, () => pages.next());
    if (done) return;
    yield value as Page;
  }
}

function coded(cause: unknown): CodedError {
  const message = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  if (cause instanceof Error && THROTTLES.has(cause.name)) {
    return new CodedError('DYNAMODB_THROTTLED', message, { retryable: true, cause });
  }
  if (cause instanceof DynamoDBServiceException && cause.$fault === 'client' && statusOf(cause) < 500) {
    return new CodedError('DYNAMODB_REFUSED', message, { cause });
  }
  return new CodedError('DYNAMODB_UNAVAILABLE', message, { retryable: true, cause });
}

function statusOf({ $metadata }: DynamoDBServiceException): number {
  return $metadata.httpStatusCode ?? 0;
}
