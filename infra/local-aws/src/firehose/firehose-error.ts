/** A refusal in the form of the Firehose API. */
export interface FirehoseRefusal {
  readonly status: number;
  readonly name: string;
  readonly message: string;
}

export function invalidArgument(message: string): FirehoseRefusal {
  return { status: 400, name: 'InvalidArgumentException', message };
}

/** Input that breaks a limit of the API's model. */
export function validationError(field: string, constraint: string): FirehoseRefusal {
  const message = `1 validation error detected: Value at '${field}' failed to satisfy constraint: ${constraint}`;
  return { status: 400, name: 'ValidationException', message };
}

export function streamNotFound(name: string, accountId: string): FirehoseRefusal {
  return {
    status: 400,
    name: 'ResourceNotFoundException',
    message: `Firehose ${name} under account ${accountId} not found.`,
  };
}

export function streamInUse(name: string, accountId: string): FirehoseRefusal {
  return {
    status: 400,
    name: 'ResourceInUseException',
    message: `Firehose ${name} under accountId ${accountId} already exists`,
  };
}

/** What a throttled request, or a record of one, is told. */
export const SLOW_DOWN: FirehoseRefusal = {
  status: 503,
  name: 'ServiceUnavailableException',
  message: 'Slow down.',
};

export const INTERNAL_FAILURE: FirehoseRefusal = {
  status: 500,
  name: 'InternalFailure',
  message: 'Internal failure.',
};

export type Result<Value> =
  | { readonly kind: 'ok'; readonly value: Value }
  | { readonly kind: 'refused'; readonly refusal: FirehoseRefusal };

export function ok<Value>(value: Value): Result<Value> {
  return { kind: 'ok', value };
}

export function refused(refusal: FirehoseRefusal): Result<never> {
  return { kind: 'refused', refusal };
}
