import { lambdaBatch, lambdaContext } from '@twinstream/stream-model/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type FirehoseStub, startFirehoseStub } from './firehose-stub.ts';

let stub: FirehoseStub;
beforeEach(async () => {
  stub = await startFirehoseStub();
  vi.stubEnv('AWS_ENDPOINT_URL_FIREHOSE', stub.endpoint);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  vi.stubEnv('TWINSTREAM_LOG_LEVEL', 'silent');
  vi.resetModules();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await stub.close();
});

test('the Lambda function puts lines into the delivery stream of its environment', async () => {
  vi.stubEnv('TWINSTREAM_DELIVERY_STREAM', 'device-archive');
  const { handler } = await import('@twinstream/event-archiver/lambda');
  const records = [{ sequenceNumber: '1', partitionKey: 'bus-1', data: '{"v":1}\n', arrivalTime: 0 }];
  expect(await handler(lambdaBatch({ records }), lambdaContext())).toEqual({ batchItemFailures: [] });
  expect(stub.delivered.map(String)).toEqual([
    '{"shardId":"shardId-000000000000","sequenceNumber":"1","subSequenceNumber":0,' +
      '"arrivalTime":"1970-01-01T00:00:00.000Z","partitionKey":"bus-1","event":{"v":1}}\n',
  ]);
});

test('the Lambda function does not start without the name of its delivery stream', async () => {
  vi.stubEnv('TWINSTREAM_DELIVERY_STREAM', '');
  await expect(import('@twinstream/event-archiver/lambda')).rejects.toMatchObject({
    code: 'INVALID_CONFIGURATION',
    message: expect.stringContaining('TWINSTREAM_DELIVERY_STREAM'),
  });
});
