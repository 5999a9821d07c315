import { randomUUID } from 'node:crypto';
import { GetQueueUrlCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Clock } from '@twinstream/runtime';
import { type FailedBatchOrigin, failedBatchNotice } from './failed-batch.ts';
import type { FailureDestination } from './failure-destination.ts';

/**
 * Tells a queue of given-up batches, as Lambda does: what is known of the failure, and the place of the records in the
 * stream, not the records. The queue is looked up by its name for each message, so that it may be created later.
 */
export function sqsFailureDestination(
  client: SQSClient,
  queueName: string,
  origin: FailedBatchOrigin,
  clock: Clock,
): FailureDestination {
  return {
    keep: async (batch) => {
      const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: queueName }));
      const MessageBody = failedBatchNotice(batch, origin, { nowMs: clock.now(), newId: randomUUID });
      await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    },
  };
}
