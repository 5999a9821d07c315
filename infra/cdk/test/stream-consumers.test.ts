import {
  LAMBDA_DEFAULT_SETTINGS,
  LOCAL_MAPPING_SETTINGS,
  PROJECT_MAPPING_SETTINGS,
} from '@twinstream/pipeline-settings';
import { RETENTION_HOURS } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import { mappingProperties } from '../src/constructs/stream-consumer.ts';
import { FULL, pipelineTemplate, resource } from './templates.ts';

const template = pipelineTemplate(FULL);
const onDemand = pipelineTemplate({});

describe('stream', () => {
  test('keeps events for seven days, in every stage', () => {
    for (const one of [template, onDemand]) {
      expect(resource(one, 'AWS::Kinesis::Stream', 'EventStream').RetentionPeriodHours).toBe(168);
    }
    expect(RETENTION_HOURS).toBe(168);
  });

  test('is encrypted with the key of the stack', () => {
    expect(resource(template, 'AWS::Kinesis::Stream', 'EventStream').StreamEncryption).toEqual({
      EncryptionType: 'KMS',
      KeyId: { 'Fn::GetAtt': [expect.stringMatching(/^Key/), 'Arn'] },
    });
  });

  test('has the shards that are asked for, and as many as it takes where none are', () => {
    expect(resource(template, 'AWS::Kinesis::Stream', 'EventStream')).toMatchObject({
      ShardCount: 4,
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
    });
    const free = resource(onDemand, 'AWS::Kinesis::Stream', 'EventStream');
    expect(free.StreamModeDetails).toEqual({ StreamMode: 'ON_DEMAND' });
    expect(free.ShardCount).toBeUndefined();
  });
});

describe.each(['Projector', 'Archiver'])('mapping of %s', (name) => {
  const mapping = resource(template, 'AWS::Lambda::EventSourceMapping', name);

  test('bisects, takes partial answers, retries through outages, and gives up a day before the stream drops records', () => {
    expect(mapping).toMatchObject({
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MaximumRetryAttempts: -1,
      MaximumRecordAgeInSeconds: 6 * 86_400,
      ParallelizationFactor: 1,
      BatchSize: 10_000,
      MaximumBatchingWindowInSeconds: 1,
      StartingPosition: 'TRIM_HORIZON',
    });
  });

  test('keeps what it gives up, payload and all, in the bucket', () => {
    expect(mapping.DestinationConfig).toEqual({
      OnFailure: { Destination: { 'Fn::GetAtt': [expect.stringMatching(/^ArchiveBucket/), 'Arn'] } },
    });
  });

  test('reads the stream of the stack', () => {
    expect(mapping.EventSourceArn).toEqual({
      'Fn::GetAtt': [expect.stringMatching(/^EventStream/), 'Arn'],
    });
  });
});

describe('mapping settings', () => {
  test('are those of the local pipeline, but for the window', () => {
    const { batchingWindowMs: _local, ...local } = LOCAL_MAPPING_SETTINGS;
    const { batchingWindowMs: _aws, ...aws } = PROJECT_MAPPING_SETTINGS;
    expect(aws).toEqual(local);
    expect(mappingProperties(PROJECT_MAPPING_SETTINGS)).toMatchObject({
      batchSize: local.batchSize,
      maximumRetryAttempts: local.retryAttemptsMax,
    });
  });

  test('without a limit of age are refused', () => {
    expect(() => mappingProperties(LAMBDA_DEFAULT_SETTINGS)).toThrow('the stream drop records');
  });

  test('of mappings that are made again begin where they are told to, in both', () => {
    const again = pipelineTemplate({ startAt: '2026-11-30T10:00:00Z' });
    for (const name of ['Projector', 'Archiver']) {
      expect(resource(again, 'AWS::Lambda::EventSourceMapping', name)).toMatchObject({
        StartingPosition: 'AT_TIMESTAMP',
        StartingPositionTimestamp: Date.parse('2026-11-30T10:00:00Z') / 1_000,
      });
    }
    expect(() => pipelineTemplate({ startAt: 'yesterday' })).toThrow('startAt: a time');
  });

  test('tell the projector the factor that its mapping has', () => {
    const projector = resource(template, 'AWS::Lambda::Function', 'ProjectorStateProjector');
    expect(projector.Environment).toMatchObject({
      Variables: {
        TWINSTREAM_PARALLELIZATION_FACTOR: String(PROJECT_MAPPING_SETTINGS.parallelizationFactor),
      },
    });
  });
});
