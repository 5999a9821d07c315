import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { expect, it } from 'vitest';
import { failedBatchDocument, failedBatchKey, failedBatchNotice } from '../../src/lambda/failed-batch.ts';
import type { DiscardedBatch } from '../../src/lambda/failure-destination.ts';
import { eventJson, eventRecordWriter } from '../../src/lambda/kinesis-event.ts';

const shard = shardId('shardId-000000000001');
const origin = {
  mappingId: '6f1a54dc-0bd6-8d94-8ae7-2d8b2f3e2c11',
  functionArn: 'arn:aws:lambda:us-east-2:123456789012:function:myfunction',
  streamArn: 'arn:aws:kinesis:us-east-2:123456789012:stream/mystream',
};
const write = eventRecordWriter(
  { streamArn: origin.streamArn, region: 'us-east-2', roleArn: 'arn:role' },
  shard,
);
const records = [1573691884.835, 1573691885.58].map((arrival, index) =>
  write({
    sequenceNumber: sequenceNumber(String(100 + index)),
    partitionKey: 'a',
    data: 'aGVsbG8=',
    approximateArrivalTimestamp: arrival,
  }),
);
const batch: DiscardedBatch = {
  shardId: shard,
  records,
  condition: 'RetryAttemptsExhausted',
  invokeCount: 3,
  lastInvocation: { requestId: 'c9b8fa9f', functionError: true },
};
const stamp = { nowMs: Date.parse('2019-11-14T00:38:06.021Z'), newId: () => 'random-id' };

it('writes the document of the developer guide, with the event as JSON text', () => {
  expect(JSON.parse(failedBatchDocument(batch, origin, stamp))).toEqual({
    requestContext: {
      requestId: 'c9b8fa9f',
      functionArn: origin.functionArn,
      condition: 'RetryAttemptsExhausted',
      approximateInvokeCount: 3,
    },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    version: '1.0',
    timestamp: '2019-11-14T00:38:06.021Z',
    KinesisBatchInfo: {
      shardId: 'shardId-000000000001',
      startSequenceNumber: '100',
      endSequenceNumber: '101',
      approximateArrivalOfFirstRecord: '2019-11-14T00:38:04.835Z',
      approximateArrivalOfLastRecord: '2019-11-14T00:38:05.580Z',
      batchSize: 2,
      streamArn: origin.streamArn,
    },
    payload: eventJson(records),
  });
});

it('tells a queue the same without the event', () => {
  const { payload, ...rest } = JSON.parse(failedBatchDocument(batch, origin, stamp));
  expect(payload).toBeTypeOf('string');
  expect(JSON.parse(failedBatchNotice(batch, origin, stamp))).toEqual(rest);
});

it('says null where the function returned and named failed items', () => {
  const lastInvocation = { requestId: 'r', functionError: false };
  const document = JSON.parse(failedBatchDocument({ ...batch, lastInvocation }, origin, stamp));
  expect(document.responseContext.functionError).toBeNull();
});

it('has no response where the records were given up for their age, invoked or not', () => {
  const invoked = { ...batch, condition: 'RecordAgeExceeded' } as const;
  const document = JSON.parse(failedBatchDocument(invoked, origin, stamp));
  expect(document).not.toHaveProperty('responseContext');
  expect(document.requestContext).toMatchObject({ requestId: 'c9b8fa9f', approximateInvokeCount: 3 });
});

it('counts one invocation, and has no response, where the function was never invoked', () => {
  const never = {
    ...batch,
    lastInvocation: undefined,
    condition: 'RecordAgeExceeded',
    invokeCount: 0,
  } as const;
  const document = JSON.parse(failedBatchDocument(never, origin, stamp));
  expect(document).not.toHaveProperty('responseContext');
  expect(document.requestContext).toMatchObject({
    requestId: 'random-id',
    condition: 'RecordAgeExceeded',
    approximateInvokeCount: 1,
  });
});

it('names the object as Lambda does', () => {
  expect(failedBatchKey(batch, origin.mappingId, stamp)).toBe(
    `aws/lambda/${origin.mappingId}/shardId-000000000001/2019/11/14/2019-11-14T00.38.06-random-id`,
  );
});
