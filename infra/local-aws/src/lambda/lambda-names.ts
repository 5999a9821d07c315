import { createHash } from 'node:crypto';

/** Where the emulator pretends to be. */
export interface Account {
  readonly region: string;
  readonly accountId: string;
}

export const LOCAL_ACCOUNT: Account = { region: 'us-east-1', accountId: '000000000000' };

export function functionArn({ region, accountId }: Account, functionName: string): string {
  return `arn:aws:lambda:${region}:${accountId}:function:${functionName}`;
}

export function mappingArn({ region, accountId }: Account, mappingId: string): string {
  return `arn:aws:lambda:${region}:${accountId}:event-source-mapping:${mappingId}`;
}

export function streamArn({ region, accountId }: Account, streamName: string): string {
  return `arn:aws:kinesis:${region}:${accountId}:stream/${streamName}`;
}

/** Role that events name as `invokeIdentityArn`. */
export function roleArn({ accountId }: Account, functionName: string): string {
  return `arn:aws:iam::${accountId}:role/${functionName}`;
}

/** Name in `NAME`, `NAME:QUALIFIER`, `ACCOUNT:function:NAME` or a function's ARN. */
export function functionNameOf(text: string): string {
  const parts = text.split(':');
  const marker = parts.lastIndexOf('function');
  return (marker === -1 ? parts[0] : parts[marker + 1]) ?? text;
}

/** Stream in `arn:aws:kinesis:REGION:ACCOUNT:stream/NAME`; undefined for any other text. */
export function streamNameOf(arn: string): string | undefined {
  return /^arn:aws[a-z-]*:kinesis:[^:]*:[^:]*:stream\/([a-zA-Z0-9_.-]{1,128})$/.exec(arn)?.[1];
}

export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}

/** Bucket in `arn:aws:s3:::NAME`; undefined for any other text. */
export function bucketOf(arn: string): string | undefined {
  return /^arn:aws[a-z-]*:s3:::([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$/.exec(arn)?.[1];
}

export function queueArn({ region, accountId }: Account, queueName: string): string {
  return `arn:aws:sqs:${region}:${accountId}:${queueName}`;
}

/** Queue in `arn:aws:sqs:REGION:ACCOUNT:NAME`; undefined for any other text, and for a FIFO queue, which Lambda refuses. */
export function queueNameOf(arn: string): string | undefined {
  return /^arn:aws[a-z-]*:sqs:[^:]*:[^:]*:([a-zA-Z0-9_-]{1,80})$/.exec(arn)?.[1];
}

/**
 * Id of the one mapping that a function may have on a stream. AWS draws it; here it follows from the two, so that a
 * pipeline that is declared again at each start finds its checkpoints again.
 */
export function mappingIdOf(functionName: string, arn: string): string {
  const hex = createHash('sha256').update(`${functionName}\n${arn}`).digest('hex');
  // RFC 9562: version 8 leaves the rest to us, variant 10.
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
