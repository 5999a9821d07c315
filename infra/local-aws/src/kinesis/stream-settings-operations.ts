import { commitmentStatus } from './account.ts';
import { invalidArgument } from './api-error.ts';
import { EMPTY, type KinesisService, membersAnswer, operation } from './operation.ts';
import { integer, list, oneOf, optional, required, structure, text } from './request-shape.ts';
import { SHARD_LEVEL_METRICS, STREAM_MODES, type Stream } from './stream.ts';
import { activeStream, addressedStream, STREAM_ADDRESS, STREAM_ARN, streamArn } from './stream-address.ts';
import { RECORD_KIB } from './stream-operations.ts';

const KIB = 1024;
/** API reference, UpdateStreamWarmThroughput: 10 GiB/s (read 2026-12). */
const WARM_MIBPS = { min: 0, max: 10_240 };
const ALL = 'ALL';

const MODE_DETAILS = structure({ StreamMode: required(oneOf(STREAM_MODES), STREAM_MODES[0]) });

/** The shards stay as they are. */
export const updateStreamMode = operation(
  structure({
    StreamARN: required(STREAM_ARN, ''),
    StreamModeDetails: required(MODE_DETAILS, { StreamMode: 'PROVISIONED' }),
    WarmThroughputMiBps: optional(integer(WARM_MIBPS)),
  }),
  (service, { StreamARN, StreamModeDetails, WarmThroughputMiBps }) => {
    const stream = activeStream(service, { StreamName: undefined, StreamARN });
    const mode = StreamModeDetails.StreamMode;
    if (WarmThroughputMiBps !== undefined) checkWarmThroughput(service, mode);
    const warmThroughputMiBps = mode === 'ON_DEMAND' ? WarmThroughputMiBps : undefined;
    service.store.update(stream, { mode, warmThroughputMiBps });
    return EMPTY;
  },
);

export const updateStreamWarmThroughput = operation(
  structure({ ...STREAM_ADDRESS, WarmThroughputMiBps: required(integer(WARM_MIBPS), 0) }),
  (service, input) => {
    const stream = activeStream(service, input);
    checkWarmThroughput(service, stream.mode);
    const CurrentMiBps = stream.warmThroughputMiBps ?? 0;
    service.store.update(stream, { warmThroughputMiBps: input.WarmThroughputMiBps });
    return membersAnswer({
      StreamName: stream.name,
      StreamARN: streamArn(service, stream.name),
      WarmThroughput: { TargetMiBps: input.WarmThroughputMiBps, CurrentMiBps },
    });
  },
);

function checkWarmThroughput({ account, clock }: KinesisService, mode: Stream['mode']): void {
  if (mode !== 'ON_DEMAND') {
    throw invalidArgument('Warm throughput is supported for streams in ON_DEMAND mode only.');
  }
  if (commitmentStatus(account.commitment, clock.now()) === 'DISABLED') {
    throw invalidArgument(
      'Warm throughput needs MinimumThroughputBillingCommitment to be enabled for the account.',
    );
  }
}

export const updateMaxRecordSize = operation(
  structure({
    StreamARN: optional(STREAM_ARN),
    MaxRecordSizeInKiB: required(integer(RECORD_KIB), RECORD_KIB.min),
  }),
  (service, { StreamARN, MaxRecordSizeInKiB }) => {
    const stream = activeStream(service, { StreamName: undefined, StreamARN });
    service.store.update(stream, { recordBytesMax: MaxRecordSizeInKiB * KIB });
    return EMPTY;
  },
);

const ENCRYPTION = structure({
  ...STREAM_ADDRESS,
  EncryptionType: required(oneOf(['NONE', 'KMS']), 'KMS'),
  KeyId: required(text({ min: 1, max: 2048 }), ''),
});

/** The stream and its puts say that they are encrypted; the data folder holds records as they are. */
export const startStreamEncryption = operation(ENCRYPTION, (service, input) => {
  const stream = activeStream(service, input);
  if (input.EncryptionType !== 'KMS') throw invalidArgument('EncryptionType must be KMS.');
  service.store.update(stream, { encryptionKeyId: input.KeyId });
  return EMPTY;
});

export const stopStreamEncryption = operation(ENCRYPTION, (service, input) => {
  const stream = activeStream(service, input);
  if (input.EncryptionType !== 'KMS') throw invalidArgument('EncryptionType must be KMS.');
  service.store.update(stream, { encryptionKeyId: undefined });
  return EMPTY;
});

const MONITORING = structure({
  ...STREAM_ADDRESS,
  ShardLevelMetrics: required(list(oneOf([...SHARD_LEVEL_METRICS, ALL]), { min: 1, max: 7 }), []),
});

/** Which metrics are chosen is kept and returned. Nothing publishes them. */
export const enableEnhancedMonitoring = operation(MONITORING, (service, input) =>
  changeMonitoring(service, addressedStream(service, input), (metric, current) => {
    const chosen = input.ShardLevelMetrics;
    return current.includes(metric) || chosen.includes(metric) || chosen.includes(ALL);
  }),
);

export const disableEnhancedMonitoring = operation(MONITORING, (service, input) =>
  changeMonitoring(service, addressedStream(service, input), (metric, current) => {
    const chosen = input.ShardLevelMetrics;
    return current.includes(metric) && !chosen.includes(metric) && !chosen.includes(ALL);
  }),
);

type Metrics = Stream['shardLevelMetrics'];

function changeMonitoring(
  service: KinesisService,
  stream: Stream,
  holds: (metric: Metrics[number], current: Metrics) => boolean,
) {
  const current = stream.shardLevelMetrics;
  const desired = SHARD_LEVEL_METRICS.filter((metric) => holds(metric, current));
  service.store.change(stream, { shardLevelMetrics: desired });
  return membersAnswer({
    StreamName: stream.name,
    StreamARN: streamArn(service, stream.name),
    CurrentShardLevelMetrics: current,
    DesiredShardLevelMetrics: desired,
  });
}
