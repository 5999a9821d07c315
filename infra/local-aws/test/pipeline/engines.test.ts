import { expect, test } from 'vitest';
import { anyEnded } from '../../src/pipeline/engines.ts';

const runs = <How>() => new Promise<How>(() => {});
const killed = Promise.resolve({ code: null, signal: 'SIGKILL', errorTail: '' } as const);
const failed = Promise.resolve({ code: 1, signal: null, errorTail: 'out of disk\n' } as const);
const RUNNING = {
  dynamodb: 'dynalite',
  dynamoDb: { pid: 11, exited: runs<never>() },
  s3: { pid: 12, exited: runs<never>() },
  emulator: { pid: 13, exited: runs<never>() },
} as const;

test.each([
  [{ dynamoDb: { pid: 11, exited: killed } }, 'DynamoDB (dynalite, process 11) ended by SIGKILL'],
  [{ s3: { pid: 12, exited: killed } }, 'S3 (fauxqs, process 12) ended by SIGKILL'],
  [{ s3: { pid: 12, exited: failed } }, 'S3 (fauxqs, process 12) ended with code 1\nout of disk'],
  [
    { emulator: { pid: 13, exited: Promise.resolve('SIGKILL') } },
    'Kinesis, Firehose and Lambda (process 13) ended by SIGKILL',
  ],
])('whichever engine ends is named, and how it ended', async (ended, told) => {
  const error = await anyEnded({ ...RUNNING, ...ended });
  expect(error).toMatchObject({ code: 'ENGINE_ENDED', message: `the emulator of ${told}` });
});
