import { GetRecordsCommand, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { expect } from 'vitest';
import { type Facts, present, refusal } from './subject.ts';

const SHARD = 'shardId-000000000000';

export const limitFacts: Facts = {
  'more records than a shard takes are refused one by one, and exactly the others are stored': async (
    stage,
  ) => {
    const StreamName = await stage.stream(1);
    const requests = Array.from({ length: 8 }, (_, request) =>
      Array.from({ length: 500 }, (_record, index) => `${request}-${index}`),
    );
    const answers = await Promise.all(
      requests.map((keys) =>
        stage.client.send(
          new PutRecordsCommand({
            StreamName,
            Records: keys.map((key) => ({ PartitionKey: key, Data: Buffer.from(key) })),
          }),
        ),
      ),
    );
    const accepted: string[] = [];
    let refused = 0;
    answers.forEach(({ FailedRecordCount, Records = [] }, request) => {
      expect(FailedRecordCount).toBe(Records.filter(({ ErrorCode }) => ErrorCode !== undefined).length);
      Records.forEach(({ ErrorCode, ErrorMessage, SequenceNumber, ShardId }, index) => {
        if (ErrorCode === undefined) {
          accepted.push(present(requests[request]?.[index]));
          expect({ ShardId, SequenceNumber }).toEqual({ ShardId: SHARD, SequenceNumber: expect.anything() });
          return;
        }
        refused += 1;
        expect(ErrorCode).toBe('ProvisionedThroughputExceededException');
        expect(ErrorMessage).toContain(`Rate exceeded for shard ${SHARD} in stream ${StreamName}`);
        expect(SequenceNumber).toBeUndefined();
      });
    });
    expect(refused).toBeGreaterThan(0);
    expect(accepted.length).toBeGreaterThanOrEqual(1000);
    const iterator = await stage.iterator(StreamName, SHARD, 'TRIM_HORIZON');
    const stored = await stage.readUntil(iterator, accepted.length);
    expect(stored.map(({ key }) => key).sort()).toEqual(accepted.sort());
  },

  'more than five reads a second of a shard are refused': async (stage) => {
    const ShardIterator = await stage.iterator(await stage.stream(1), SHARD, 'LATEST');
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => refusal(stage.client.send(new GetRecordsCommand({ ShardIterator })))),
    );
    const refused = answers.filter((answer) => answer === 'ProvisionedThroughputExceededException');
    const served = answers.filter((answer) => answer === 'it was not refused');
    expect(served.length).toBeGreaterThanOrEqual(5);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length + served.length).toBe(answers.length);
  },
};
