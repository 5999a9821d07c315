/** An answer that refuses a request, in AWS's words. It is thrown by operations and turned into the wire's shape. */
export class ApiError extends Error {
  /** AWS's name of the error, without namespace: `ResourceNotFoundException`. */
  readonly code: string;
  /** HTTP status: 400 for what the caller did, 500 for what the service did. */
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
  }
}

// The words below are those that AWS answers with, as recorded in the tests of kinesalite (github.com/mhart/kinesalite,
// read 2026-11) and in public reports; where none is recorded they follow the same manner.

export function streamNotFound(streamName: string, accountId: string): ApiError {
  return new ApiError(
    'ResourceNotFoundException',
    `Stream ${streamName} under account ${accountId} not found.`,
  );
}

export function shardNotFound(shardId: string, streamName: string, accountId: string): ApiError {
  return new ApiError(
    'ResourceNotFoundException',
    `Shard ${shardId} in stream ${streamName} under account ${accountId} does not exist`,
  );
}

export function shardRateExceeded(shardId: string, streamName: string, accountId: string): ApiError {
  return new ApiError(
    'ProvisionedThroughputExceededException',
    shardRateExceededMessage(shardId, streamName, accountId),
  );
}

export function shardRateExceededMessage(shardId: string, streamName: string, accountId: string): string {
  return `Rate exceeded for shard ${shardId} in stream ${streamName} under account ${accountId}.`;
}

export function invalidArgument(message: string): ApiError {
  return new ApiError('InvalidArgumentException', message);
}

export function validationFailed(message: string): ApiError {
  return new ApiError('ValidationException', message);
}

export function serializationFailed(message: string): ApiError {
  return new ApiError('SerializationException', message);
}

export function resourceInUse(message: string): ApiError {
  return new ApiError('ResourceInUseException', message);
}

export function limitExceeded(message: string): ApiError {
  return new ApiError('LimitExceededException', message);
}

export function internalFailure(message: string): ApiError {
  return new ApiError('InternalFailure', message, 500);
}
