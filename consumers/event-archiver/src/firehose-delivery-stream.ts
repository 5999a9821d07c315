import {
  type FirehoseClient,
  FirehoseServiceException,
  PutRecordBatchCommand,
} from '@aws-sdk/client-firehose';
import { CodedError } from '@twinstream/runtime';
import type { DeliveryRejection, DeliveryStream } from './delivery-stream.ts';

export interface FirehoseDeliveryStreamOptions {
  readonly client: FirehoseClient;
  readonly name: string;
}

/** A delivery stream of Amazon Data Firehose. */
export function firehoseDeliveryStream({ client, name }: FirehoseDeliveryStreamOptions): DeliveryStream {
  return {
    async put(records, signal) {
      signal?.throwIfAborted();
      const Records = records.map((Data) => ({ Data }));
      const command = new PutRecordBatchCommand({ DeliveryStreamName: name, Records });
      try {
        const { RequestResponses = [] } = await client.send(
          command,
          signal === undefined ? {} : { abortSignal: signal },
        );
        const rejections: DeliveryRejection[] = [];
        for (const index of records.keys()) {
          const { RecordId, ErrorCode } = RequestResponses[index] ?? {};
          // Only a record id says that a record was taken.
          if (RecordId !== undefined && ErrorCode === undefined) continue;
          rejections.push({ index, errorCode: ErrorCode ?? 'NoRecordId' });
        }
        return rejections;
      } catch (cause) {
        signal?.throwIfAborted();
        throw coded(cause, name);
      }
    },
  };
}

// Errors by which AWS services say "later" with a status of 4xx: "Error retries" of the SDKs reference guide, read 2026-11.
const THROTTLES = new Set(['LimitExceededException', 'ThrottlingException', 'TooManyRequestsException']);

function coded(cause: unknown, name: string): CodedError {
  const isTransient = !(cause instanceof FirehoseServiceException) || isLater(cause);
  const code = isTransient ? 'DELIVERY_UNAVAILABLE' : 'DELIVERY_REFUSED';
  const fault = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new CodedError(code, `delivery stream ${name} took nothing: ${fault}`, {
    retryable: isTransient,
    cause,
  });
}

/** True where the service says "later"; false where only a change of rights, names or input can help. */
function isLater({ name, $metadata }: FirehoseServiceException): boolean {
  const status = $metadata.httpStatusCode ?? 500;
  return status >= 500 || status === 429 || THROTTLES.has(name);
}
