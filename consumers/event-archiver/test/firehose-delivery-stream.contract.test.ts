import type { FirehoseClient } from '@aws-sdk/client-firehose';
import { firehoseClient } from '@twinstream/aws/firehose';
import { firehoseDeliveryStream } from '@twinstream/event-archiver';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeDeliveryStream } from '../contract/delivery-stream-contract.ts';
import { type FirehoseStub, failure, startFirehoseStub, takeAll } from './firehose-stub.ts';

let stub: FirehoseStub;
let client: FirehoseClient;

beforeAll(async () => {
  stub = await startFirehoseStub();
  client = firehoseClient({
    endpoint: stub.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
});

beforeEach(() => {
  stub.answer = takeAll;
  stub.delivered = [];
});

afterAll(async () => {
  client.destroy();
  await stub.close();
});

const open = () => firehoseDeliveryStream({ client, name: 'archive' });
const records = ['a', 'b', 'c'].map((text) => Buffer.from(text));

describeDeliveryStream('Firehose', () => ({ deliveryStream: open(), delivered: () => stub.delivered }));

describe('Firehose delivery stream', () => {
  test('names the records that were not taken, by their index', async () => {
    stub.answer = () => ({
      status: 200,
      body: {
        FailedPutCount: 2,
        RequestResponses: [
          { ErrorCode: 'ServiceUnavailableException', ErrorMessage: 'slow down' },
          { RecordId: '1' },
          { ErrorCode: 'InternalFailure', ErrorMessage: 'oh' },
        ],
      },
    });
    expect(await open().put(records)).toEqual([
      { index: 0, errorCode: 'ServiceUnavailableException' },
      { index: 2, errorCode: 'InternalFailure' },
    ]);
  });

  test('takes only a record id as a sign that a record was taken', async () => {
    stub.answer = () => ({
      status: 200,
      body: { FailedPutCount: 0, RequestResponses: [{}, { RecordId: '1' }] },
    });
    expect((await open().put(records)).map(({ index }) => index)).toEqual([0, 2]);
  });

  test.each([
    [503, 'ServiceUnavailableException'],
    [500, 'InternalFailure'],
    [400, 'ThrottlingException'],
    [400, 'LimitExceededException'],
    [429, 'TooManyRequestsException'],
  ])('an answer of %i %s may be followed by another try', async (status, name) => {
    stub.answer = () => failure(status, name);
    await expect(open().put(records)).rejects.toMatchObject({
      code: 'DELIVERY_UNAVAILABLE',
      retryable: true,
    });
  });

  test.each([
    [400, 'ResourceNotFoundException'],
    [403, 'AccessDeniedException'],
    [400, 'InvalidArgumentException'],
  ])('an answer of %i %s is final', async (status, name) => {
    stub.answer = () => failure(status, name);
    await expect(open().put(records)).rejects.toMatchObject({ code: 'DELIVERY_REFUSED', retryable: false });
  });

  test('a server that is gone may come back', async () => {
    const nowhere = firehoseClient({
      endpoint: 'http://127.0.0.1:1',
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    });
    const gone = firehoseDeliveryStream({ client: nowhere, name: 'archive' }).put(records);
    await expect(gone).rejects.toMatchObject({ code: 'DELIVERY_UNAVAILABLE', retryable: true });
    nowhere.destroy();
  });

  test('a request that is under way ends when its signal is aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('out of time');
    stub.answer = () => {
      controller.abort(reason);
      return 'hang';
    };
    await expect(open().put(records, controller.signal)).rejects.toBe(reason);
  });
});
