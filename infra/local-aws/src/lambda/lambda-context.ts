/** What a handler is told besides its event: "Using the Lambda context object", developer guide, read 2026-11. */
export interface LambdaContext {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  readonly memoryLimitInMB: string;
  readonly awsRequestId: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  callbackWaitsForEmptyEventLoop: boolean;
  /** Milliseconds until the invocation is ended. */
  getRemainingTimeInMillis(): number;
}

/** Memory is not limited here; this is what the context says. */
const MEMORY_MB = '1024';

export interface ContextOptions {
  readonly functionName: string;
  readonly functionArn: string;
  readonly requestId: string;
  readonly deadlineMs: number;
  readonly logStreamName: string;
  readonly now: () => number;
}

export function lambdaContext(options: ContextOptions): LambdaContext {
  return {
    functionName: options.functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: options.functionArn,
    memoryLimitInMB: MEMORY_MB,
    awsRequestId: options.requestId,
    logGroupName: `/aws/lambda/${options.functionName}`,
    logStreamName: options.logStreamName,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, options.deadlineMs - options.now()),
  };
}
