import { RECORD_BYTES_MAX, RETENTION_HOURS_MAX, RETENTION_HOURS_MIN } from '@twinstream/stream-model';
import { invalidArgument, resourceInUse, validationFailed } from './api-error.ts';
import { EMPTY, type KinesisService, membersAnswer, operation } from './operation.ts';
import { pageToken, readPageToken } from './page-token.ts';
import { flag, integer, oneOf, optional, required, structure, text } from './request-shape.ts';
import { fullShardId, SHARD_ID, shardMembers } from './shard-members.ts';
import { horizonMs, STREAM_MODES, type Stream } from './stream.ts';
import { activeStream, addressedStream, STREAM_ADDRESS, STREAM_NAME, streamArn } from './stream-address.ts';
import { TAGS, withTags } from './tags.ts';
import { Timestamp } from './wire-format.ts';

/** A stream in on-demand mode starts with 4 shards' throughput (developer guide, on-demand mode, read 2026-11). */
const ON_DEMAND_SHARDS = 4;
/** The most that a stream may have here: AWS's default quota of an account in most regions (quotas, read 2026-11). */
export const SHARDS_MAX = 1_000;
const KIB = 1024;
/** API reference, MaxRecordSizeInKiB (read 2026-11). */
export const RECORD_KIB = { min: 1024, max: 10_240 };
/** API reference, DescribeStream and ListStreams: 100 unless the request says more (read 2026-11). */
const PAGE_DEFAULT = 100;
const PAGE_MAX = 10_000;

export const createStream = operation(
  structure({
    StreamName: required(STREAM_NAME, ''),
    ShardCount: optional(integer({ min: 1, max: SHARDS_MAX })),
    StreamModeDetails: optional(structure({ StreamMode: required(oneOf(STREAM_MODES), 'PROVISIONED') })),
    MaxRecordSizeInKiB: optional(integer(RECORD_KIB)),
    Tags: optional(TAGS),
  }),
  (service, { StreamName, ShardCount, StreamModeDetails, MaxRecordSizeInKiB, Tags }) => {
    // Where neither is given, AWS creates an on-demand stream.
    const mode = StreamModeDetails?.StreamMode ?? (ShardCount === undefined ? 'ON_DEMAND' : 'PROVISIONED');
    if (mode === 'PROVISIONED' && ShardCount === undefined) {
      throw validationFailed('ShardCount must be specified for a stream in PROVISIONED mode.');
    }
    if (mode === 'ON_DEMAND' && ShardCount !== undefined) {
      throw validationFailed('ShardCount must not be specified for a stream in ON_DEMAND mode.');
    }
    if (service.store.find(StreamName)) {
      throw resourceInUse(`Stream ${StreamName} under account ${service.accountId} already exists.`);
    }
    service.store.create({
      name: StreamName,
      shardCount: ShardCount ?? ON_DEMAND_SHARDS,
      mode,
      recordBytesMax: MaxRecordSizeInKiB === undefined ? RECORD_BYTES_MAX : MaxRecordSizeInKiB * KIB,
      tags: withTags({}, Tags ?? {}),
    });
    return EMPTY;
  },
);

export const deleteStream = operation(
  structure({ ...STREAM_ADDRESS, EnforceConsumerDeletion: optional(flag) }),
  (service, input) => {
    const stream = addressedStream(service, input);
    if (stream.consumers.length > 0 && !input.EnforceConsumerDeletion) {
      throw resourceInUse(
        `Stream ${stream.name} under account ${service.accountId} has ${stream.consumers.length} consumers: deregister them, or set EnforceConsumerDeletion.`,
      );
    }
    if (stream.status !== 'DELETING') service.store.delete(stream);
    return EMPTY;
  },
);

export const describeStream = operation(
  structure({
    ...STREAM_ADDRESS,
    Limit: optional(integer({ min: 1, max: PAGE_MAX })),
    ExclusiveStartShardId: optional(SHARD_ID),
  }),
  (service, input) => {
    const stream = addressedStream(service, input);
    service.store.trim(stream);
    const after = fullShardId(input.ExclusiveStartShardId ?? '');
    // While it is CREATING a stream shows no shards.
    const rest = stream.status === 'CREATING' ? [] : stream.shards.filter(({ id }) => id > after);
    const page = rest.slice(0, input.Limit ?? PAGE_DEFAULT);
    return membersAnswer({
      StreamDescription: {
        ...describedMembers(service, stream),
        Shards: page.map(shardMembers),
        HasMoreShards: page.length < rest.length,
      },
    });
  },
);

export const describeStreamSummary = operation(structure(STREAM_ADDRESS), (service, input) => {
  const stream = addressedStream(service, input);
  return membersAnswer({
    StreamDescriptionSummary: {
      ...describedMembers(service, stream),
      OpenShardCount: stream.status === 'CREATING' ? 0 : stream.open.length,
      ConsumerCount: stream.consumers.length,
      MaxRecordSizeInKiB: stream.recordBytesMax / KIB,
      WarmThroughput: warmThroughputMembers(stream),
    },
  });
});

function warmThroughputMembers({ warmThroughputMiBps }: Stream) {
  return warmThroughputMiBps === undefined
    ? undefined
    : { TargetMiBps: warmThroughputMiBps, CurrentMiBps: warmThroughputMiBps };
}

function describedMembers(service: KinesisService, stream: Stream) {
  return {
    StreamName: stream.name,
    StreamARN: streamArn(service, stream.name),
    StreamStatus: stream.status,
    StreamModeDetails: { StreamMode: stream.mode },
    RetentionPeriodHours: stream.retentionHours,
    StreamCreationTimestamp: new Timestamp(stream.createdMs),
    EnhancedMonitoring: [{ ShardLevelMetrics: stream.shardLevelMetrics }],
    EncryptionType: stream.encryptionKeyId === undefined ? 'NONE' : 'KMS',
    KeyId: stream.encryptionKeyId,
  };
}

const STREAMS_LIST = 'streams';

export const listStreams = operation(
  structure({
    Limit: optional(integer({ min: 1, max: PAGE_MAX })),
    ExclusiveStartStreamName: optional(STREAM_NAME),
    NextToken: optional(text({ min: 1, max: 1_048_576 })),
  }),
  (service, { Limit, ExclusiveStartStreamName, NextToken }) => {
    const nowMs = service.clock.now();
    const place = NextToken === undefined ? undefined : readPageToken(STREAMS_LIST, NextToken, nowMs);
    const after = typeof place === 'string' ? place : (ExclusiveStartStreamName ?? '');
    const rest = service.store.all().filter(({ name }) => name > after);
    const page = rest.slice(0, Limit ?? PAGE_DEFAULT);
    const last = page.length < rest.length ? page.at(-1) : undefined;
    return membersAnswer({
      StreamNames: page.map(({ name }) => name),
      HasMoreStreams: last !== undefined,
      NextToken: last && pageToken(STREAMS_LIST, last.name, nowMs),
      StreamSummaries: page.map((stream) => ({
        StreamName: stream.name,
        StreamARN: streamArn(service, stream.name),
        StreamStatus: stream.status,
        StreamModeDetails: { StreamMode: stream.mode },
        StreamCreationTimestamp: new Timestamp(stream.createdMs),
      })),
    });
  },
);

const RETENTION = structure({
  ...STREAM_ADDRESS,
  RetentionPeriodHours: required(integer(), RETENTION_HOURS_MIN),
});

export const increaseStreamRetentionPeriod = operation(RETENTION, (service, input) => {
  const stream = activeStream(service, input);
  const hours = checkedRetention(input.RetentionPeriodHours);
  if (hours < stream.retentionHours) {
    throw invalidArgument(retentionMessage(stream, hours, 'shorter', 'DecreaseRetentionPeriod'));
  }
  // What has expired stays gone.
  const trimmedBeforeMs = horizonMs(stream, service.clock.now());
  service.store.change(stream, { retentionHours: hours, trimmedBeforeMs });
  return EMPTY;
});

export const decreaseStreamRetentionPeriod = operation(RETENTION, (service, input) => {
  const stream = activeStream(service, input);
  const hours = checkedRetention(input.RetentionPeriodHours);
  if (hours > stream.retentionHours) {
    throw invalidArgument(retentionMessage(stream, hours, 'longer', 'IncreaseRetentionPeriod'));
  }
  service.store.change(stream, { retentionHours: hours });
  return EMPTY;
});

function checkedRetention(hours: number): number {
  if (hours < RETENTION_HOURS_MIN) {
    throw invalidArgument(
      `Minimum allowed retention period is ${RETENTION_HOURS_MIN} hours. Requested retention period (${hours} hours) is too short.`,
    );
  }
  if (hours > RETENTION_HOURS_MAX) {
    throw invalidArgument(
      `Maximum allowed retention period is ${RETENTION_HOURS_MAX} hours. Requested retention period (${hours} hours) is too long.`,
    );
  }
  return hours;
}

function retentionMessage(stream: Stream, hours: number, than: 'shorter' | 'longer', api: string): string {
  return (
    `Requested retention period (${hours} hours) for stream ${stream.name} can not be ${than} than existing ` +
    `retention period (${stream.retentionHours} hours). Use ${api} API.`
  );
}
