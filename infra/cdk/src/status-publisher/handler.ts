import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { Logger } from '@twinstream/runtime';
import type { DynamoDBBatchResponse } from 'aws-lambda';
import { z } from 'zod';
import { type StatusChange, stateChangeSchema, statusChange } from './status-change.ts';

/** PutEvents API reference, read 2026-11. A change of status has less than 1 KB, so that bytes are no limit here. */
const ENTRIES_MAX = 10;
export const EVENT_SOURCE = 'twinstream';
export const EVENT_DETAIL_TYPE = 'Device status changed';

const eventSchema = z.object({ Records: z.array(stateChangeSchema) });

export interface StatusPublisherServices {
  readonly client: Pick<EventBridgeClient, 'send'>;
  readonly busName: string;
  readonly logger: Logger;
}

/**
 * Publishes changes of status in the order of the batch, and stops at the first that the bus does not take. What was told
 * before a retry is told again, under the same id. Throws for an event that is not of a DynamoDB stream.
 */
export function createStatusPublisher({ client, busName, logger }: StatusPublisherServices) {
  return async (event: unknown): Promise<DynamoDBBatchResponse> => {
    const { Records: records } = eventSchema.parse(event);
    const changes = records.flatMap((record) => {
      const change = statusChange(record);
      return change === undefined ? [] : [{ change, sequenceNumber: record.dynamodb.SequenceNumber }];
    });
    for (let at = 0; at < changes.length; at += ENTRIES_MAX) {
      const entries = changes.slice(at, at + ENTRIES_MAX);
      const failed = await publish(entries.map(({ change }) => change));
      const first = entries[failed ?? entries.length];
      if (first !== undefined) {
        logger.warn(
          { records: records.length, unfinishedFrom: first.sequenceNumber },
          'status not published',
        );
        return { batchItemFailures: [{ itemIdentifier: first.sequenceNumber }] };
      }
    }
    logger.info({ records: records.length, published: changes.length }, 'batch');
    return { batchItemFailures: [] };
  };

  /** Index of the first change that was not taken; undefined when all were. */
  async function publish(changes: readonly StatusChange[]): Promise<number | undefined> {
    const Entries = changes.map((change) => ({
      EventBusName: busName,
      Source: EVENT_SOURCE,
      DetailType: EVENT_DETAIL_TYPE,
      Resources: [change.deviceId],
      Detail: JSON.stringify(change),
    }));
    const answer = await client.send(new PutEventsCommand({ Entries }));
    const failed = changes.findIndex((_, index) => answer.Entries?.[index]?.EventId === undefined);
    return failed < 0 ? undefined : failed;
  }
}
