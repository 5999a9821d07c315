import {
  DeleteResourcePolicyCommand,
  DescribeAccountSettingsCommand,
  DescribeLimitsCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  DisableEnhancedMonitoringCommand,
  EnableEnhancedMonitoringCommand,
  GetResourcePolicyCommand,
  PutRecordCommand,
  PutResourcePolicyCommand,
  StartStreamEncryptionCommand,
  StopStreamEncryptionCommand,
  UpdateMaxRecordSizeCommand,
  UpdateStreamModeCommand,
  UpdateStreamWarmThroughputCommand,
} from '@aws-sdk/client-kinesis';
import { expect } from 'vitest';
import { arnOf, registered } from './consumers.ts';
import { type Facts, refusal, type Stage } from './subject.ts';

async function described(stage: Stage, StreamName: string) {
  const answer = await stage.client.send(new DescribeStreamSummaryCommand({ StreamName }));
  return answer.StreamDescriptionSummary;
}

export const settingsFacts: Facts = {
  'a stream changes its mode and keeps its shards': async (stage) => {
    const StreamName = await stage.stream(2);
    const StreamARN = await arnOf(stage, StreamName);
    const to = (StreamMode: 'ON_DEMAND' | 'PROVISIONED') =>
      stage.client.send(new UpdateStreamModeCommand({ StreamARN, StreamModeDetails: { StreamMode } }));
    await to('ON_DEMAND');
    expect((await described(stage, StreamName))?.StreamStatus).toBe('UPDATING');
    await stage.untilActive(StreamName);
    expect(await described(stage, StreamName)).toMatchObject({
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      OpenShardCount: 2,
    });
    await to('PROVISIONED');
    await stage.untilActive(StreamName);
    expect((await described(stage, StreamName))?.StreamModeDetails?.StreamMode).toBe('PROVISIONED');
  },

  'a stream under encryption names its key, and its puts say so': async (stage) => {
    const StreamName = await stage.stream(1);
    const encryption = { StreamName, EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' } as const;
    await stage.client.send(new StartStreamEncryptionCommand(encryption));
    await stage.untilActive(StreamName);
    expect(await described(stage, StreamName)).toMatchObject({
      EncryptionType: 'KMS',
      KeyId: 'alias/aws/kinesis',
    });
    const put = new PutRecordCommand({ StreamName, PartitionKey: 'a', Data: Buffer.from('one') });
    expect((await stage.client.send(put)).EncryptionType).toBe('KMS');
    await stage.client.send(new StopStreamEncryptionCommand(encryption));
    await stage.untilActive(StreamName);
    expect((await described(stage, StreamName))?.EncryptionType).toBe('NONE');
  },

  'shard-level metrics are chosen one by one or all': async (stage) => {
    const StreamName = await stage.stream(1);
    const enabled = await stage.client.send(
      new EnableEnhancedMonitoringCommand({ StreamName, ShardLevelMetrics: ['IncomingBytes'] }),
    );
    expect(enabled).toMatchObject({
      CurrentShardLevelMetrics: [],
      DesiredShardLevelMetrics: ['IncomingBytes'],
    });
    await stage.untilActive(StreamName);
    const { StreamDescription } = await stage.client.send(new DescribeStreamCommand({ StreamName }));
    expect(StreamDescription?.EnhancedMonitoring).toEqual([{ ShardLevelMetrics: ['IncomingBytes'] }]);
    const disabled = await stage.client.send(
      new DisableEnhancedMonitoringCommand({ StreamName, ShardLevelMetrics: ['ALL'] }),
    );
    expect(disabled.DesiredShardLevelMetrics ?? []).toEqual([]);
  },

  'a stream and a consumer keep a resource policy until it is deleted': async (stage) => {
    const StreamARN = await arnOf(stage, await stage.stream(1));
    const consumer = await registered(stage, StreamARN, 'reader');
    for (const ResourceARN of [StreamARN, consumer]) {
      const read = () => stage.client.send(new GetResourcePolicyCommand({ ResourceARN }));
      expect(await refusal(read())).toBe('ResourceNotFoundException');
      const account = ResourceARN.split(':')[4];
      const action = ResourceARN === consumer ? 'kinesis:SubscribeToShard' : 'kinesis:PutRecord';
      const Policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'share',
            Effect: 'Allow',
            Principal: { AWS: `arn:aws:iam::${account}:root` },
            Action: [action],
            Resource: ResourceARN,
          },
        ],
      });
      await stage.client.send(new PutResourcePolicyCommand({ ResourceARN, Policy }));
      expect(JSON.parse((await read()).Policy ?? '')).toMatchObject({ Statement: [{ Sid: 'share' }] });
      await stage.client.send(new DeleteResourcePolicyCommand({ ResourceARN }));
      expect(await refusal(read())).toBe('ResourceNotFoundException');
    }
  },

  'a stream takes larger records once it is set to': async (stage) => {
    const StreamName = await stage.stream(1);
    const put = () =>
      stage.client.send(
        new PutRecordCommand({ StreamName, PartitionKey: 'a', Data: Buffer.alloc(1_500 * 1024) }),
      );
    expect(await refusal(put())).toBe('ValidationException');
    const StreamARN = await arnOf(stage, StreamName);
    await stage.client.send(new UpdateMaxRecordSizeCommand({ StreamARN, MaxRecordSizeInKiB: 2_048 }));
    await stage.untilActive(StreamName);
    expect((await described(stage, StreamName))?.MaxRecordSizeInKiB).toBe(2_048);
    await put();
  },

  'the account tells its limits and settings, and warm throughput is for on-demand streams': async (
    stage,
  ) => {
    const StreamName = await stage.stream(2);
    const limits = await stage.client.send(new DescribeLimitsCommand({}));
    expect(limits.OpenShardCount).toBeGreaterThanOrEqual(2);
    expect(limits.ShardLimit).toBeGreaterThanOrEqual(200);
    expect(limits.OnDemandStreamCountLimit).toBeGreaterThan(0);
    const settings = await stage.client.send(new DescribeAccountSettingsCommand({}));
    expect(settings.MinimumThroughputBillingCommitment?.Status).toMatch(/^(EN|DIS)ABLED/);
    const warm = new UpdateStreamWarmThroughputCommand({ StreamName, WarmThroughputMiBps: 10 });
    expect(await refusal(stage.client.send(warm))).toMatch(/InvalidArgumentException|ValidationException/);
  },
};
