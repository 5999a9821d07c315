import type { Context } from 'aws-lambda';

/** What a handler is told besides its event, but for the three functions that AWS keeps for functions of old. */
export type LambdaContext = Omit<Context, 'done' | 'fail' | 'succeed'>;

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
