/** A refusal in the form of the Lambda API: its name travels in a header, its text in the body. */
export interface LambdaRefusal {
  readonly status: number;
  readonly name: string;
  readonly message: string;
}

export function invalidParameter(message: string): LambdaRefusal {
  return { status: 400, name: 'InvalidParameterValueException', message };
}

/** AWS answers so for a stream that a new mapping names and nobody has created (LocalStack's snapshot tests,
 * recorded against AWS, read 2026-11). */
export function streamNotFound(arn: string): LambdaRefusal {
  return invalidParameter(`Stream not found: ${arn}`);
}

export function notFound(message: string): LambdaRefusal {
  return { status: 404, name: 'ResourceNotFoundException', message };
}

export function conflict(message: string): LambdaRefusal {
  return { status: 409, name: 'ResourceConflictException', message };
}

export function inUse(message: string): LambdaRefusal {
  return { status: 400, name: 'ResourceInUseException', message };
}

export function tooManyRequests(message: string): LambdaRefusal {
  return { status: 429, name: 'TooManyRequestsException', message };
}

/** Either a value or the refusal of a request. */
export type Result<Value> =
  | { readonly kind: 'ok'; readonly value: Value }
  | { readonly kind: 'refused'; readonly refusal: LambdaRefusal };

export function ok<Value>(value: Value): Result<Value> {
  return { kind: 'ok', value };
}

export function refused(refusal: LambdaRefusal): Result<never> {
  return { kind: 'refused', refusal };
}
