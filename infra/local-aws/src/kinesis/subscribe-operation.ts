import { ApiError, resourceInUse, shardNotFound } from './api-error.ts';
import { CONSUMER_ARN, consumerArn, consumerOfArn, creationSeconds } from './consumer-address.ts';
import { operation } from './operation.ts';
import { flag, oneOf, optional, required, structure, text, timestampMs } from './request-shape.ts';
import { fullShardId, SHARD_ID } from './shard-members.ts';
import { shardEvents } from './shard-subscription.ts';
import { ITERATOR_TYPES, startPosition } from './start-position.ts';

export const subscribeToShard = operation(
  structure({
    ConsumerARN: required(CONSUMER_ARN, ''),
    ShardId: required(SHARD_ID, ''),
    StartingPosition: required(
      structure({
        Type: required(oneOf(ITERATOR_TYPES), 'LATEST'),
        SequenceNumber: optional(text({ pattern: '0|([1-9]\\d{0,128})' })),
        Timestamp: optional(timestampMs),
      }),
      { Type: 'LATEST', SequenceNumber: undefined, Timestamp: undefined },
    ),
    DryRun: optional(flag),
  }),
  (service, { ConsumerARN, ShardId, StartingPosition, DryRun }) => {
    const { accountId, clock } = service;
    const { stream, consumer } = consumerOfArn(service, ConsumerARN);
    if (consumer.status !== 'ACTIVE') {
      // AWS's words (github.com/awslabs/kinesis-hot-shard-advisor/issues/37, read 2026-12).
      throw resourceInUse(
        `Consumer ${consumer.name} with creation timestamp ${creationSeconds(consumer)} under stream: ${stream.name}, ` +
          `account ${accountId} is not in ACTIVE status.`,
      );
    }
    const shard = stream.shards.find(({ id }) => id === fullShardId(ShardId));
    if (!shard) throw shardNotFound(ShardId, stream.name, accountId);
    const position = startPosition(service, stream, shard, {
      operation: 'SubscribeToShard',
      type: StartingPosition.Type,
      sequenceNumber: StartingPosition.SequenceNumber,
      timestampMs: StartingPosition.Timestamp,
    });
    if (DryRun)
      throw new ApiError('DryRunOperationException', 'Request would have succeeded, but DryRun is set.');
    const other = [accountId, stream.name, shard.id, consumer.name].join(':');
    const ended = service.subscriptions.begin(
      consumerArn(service, stream, consumer),
      shard.index,
      other,
      clock.now(),
    );
    const from = {
      streamName: stream.name,
      streamCreatedMs: stream.createdMs,
      shardIndex: shard.index,
      position,
    };
    return {
      kind: 'events',
      events: (stop) => shardEvents(service, from, AbortSignal.any([ended, stop])),
    };
  },
);
