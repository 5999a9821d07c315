import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DeregisterStreamConsumerCommand,
  DescribeStreamConsumerCommand,
  DescribeStreamSummaryCommand,
  ListStreamConsumersCommand,
  RegisterStreamConsumerCommand,
} from '@aws-sdk/client-kinesis';
import { expect } from 'vitest';
import { type Facts, present, refusal, type Stage, until } from './subject.ts';

export async function arnOf(stage: Stage, StreamName: string): Promise<string> {
  const summary = await stage.client.send(new DescribeStreamSummaryCommand({ StreamName }));
  return present(summary.StreamDescriptionSummary?.StreamARN);
}

/** Registers a consumer and waits until it is ACTIVE. */
export async function registered(stage: Stage, StreamARN: string, ConsumerName: string): Promise<string> {
  const { Consumer } = await stage.client.send(
    new RegisterStreamConsumerCommand({ StreamARN, ConsumerName }),
  );
  const ConsumerARN = present(Consumer?.ConsumerARN);
  await until(`${ConsumerName} is ACTIVE`, stage.patienceMs, async () => {
    const { ConsumerDescription } = await stage.client.send(
      new DescribeStreamConsumerCommand({ ConsumerARN }),
    );
    return ConsumerDescription?.ConsumerStatus === 'ACTIVE';
  });
  return ConsumerARN;
}

export const consumerFacts: Facts = {
  'a consumer is CREATING, then ACTIVE, DELETING and gone, found by its ARN or its name': async (stage) => {
    const StreamName = await stage.stream(1);
    const StreamARN = await arnOf(stage, StreamName);
    const { Consumer } = await stage.client.send(
      new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'reader' }),
    );
    const ConsumerARN = present(Consumer?.ConsumerARN);
    const createdMs = present(Consumer?.ConsumerCreationTimestamp).getTime();
    expect(ConsumerARN).toBe(`${StreamARN}/consumer/reader:${Math.floor(createdMs / 1000)}`);
    expect(Consumer?.ConsumerStatus).toBe('CREATING');
    const byArn = () => stage.client.send(new DescribeStreamConsumerCommand({ ConsumerARN }));
    await until('it is ACTIVE', stage.patienceMs, async () => {
      return (await byArn()).ConsumerDescription?.ConsumerStatus === 'ACTIVE';
    });
    const byName = await stage.client.send(
      new DescribeStreamConsumerCommand({ StreamARN, ConsumerName: 'reader' }),
    );
    expect(byName.ConsumerDescription).toEqual({ ...Consumer, ConsumerStatus: 'ACTIVE', StreamARN });
    const summary = await stage.client.send(new DescribeStreamSummaryCommand({ StreamName }));
    expect(summary.StreamDescriptionSummary?.ConsumerCount).toBe(1);
    await stage.client.send(new DeregisterStreamConsumerCommand({ StreamARN, ConsumerName: 'reader' }));
    expect((await byArn()).ConsumerDescription?.ConsumerStatus).toBe('DELETING');
    await until('it is gone', stage.patienceMs, async () => {
      return (await refusal(byArn())) === 'ResourceNotFoundException';
    });
  },

  'a consumer is registered once under its name, and with an existing stream': async (stage) => {
    const StreamARN = await arnOf(stage, await stage.stream(1));
    await registered(stage, StreamARN, 'reader');
    const again = stage.client.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'reader' }));
    expect(await refusal(again)).toBe('ResourceInUseException');
    const nowhere = new RegisterStreamConsumerCommand({ StreamARN: `${StreamARN}x`, ConsumerName: 'reader' });
    expect(await refusal(stage.client.send(nowhere))).toBe('ResourceNotFoundException');
    const unnamed = new DescribeStreamConsumerCommand({ StreamARN });
    expect(await refusal(stage.client.send(unnamed))).toBe('InvalidArgumentException');
  },

  'a stream has 20 consumers and no more, and lists them page by page': async (stage) => {
    const StreamARN = await arnOf(stage, await stage.stream(1));
    const names = Array.from({ length: 20 }, (_, index) => `reader-${String(index).padStart(2, '0')}`);
    for (const name of names) await registered(stage, StreamARN, name);
    const more = stage.client.send(
      new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'reader-20' }),
    );
    expect(await refusal(more)).toBe('LimitExceededException');
    const listed: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await stage.client.send(
        new ListStreamConsumersCommand({ StreamARN, MaxResults: 8, ...(NextToken ? { NextToken } : {}) }),
      );
      expect(page.Consumers?.length).toBeLessThanOrEqual(8);
      listed.push(...(page.Consumers ?? []).map(({ ConsumerName }) => present(ConsumerName)));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    expect(listed.sort()).toEqual(names);
  },

  'a stream that has consumers is deleted only when that is enforced': async (stage) => {
    const StreamName = await stage.stream(1);
    const StreamARN = await arnOf(stage, StreamName);
    await registered(stage, StreamARN, 'reader');
    expect(await refusal(stage.client.send(new DeleteStreamCommand({ StreamName })))).toBe(
      'ResourceInUseException',
    );
    await stage.client.send(new DeleteStreamCommand({ StreamName, EnforceConsumerDeletion: true }));
    const gone = () => stage.client.send(new ListStreamConsumersCommand({ StreamARN }));
    await until('the stream is gone', stage.patienceMs, async () => {
      return (await refusal(gone())) === 'ResourceNotFoundException';
    });
    // The stage deletes what it created.
    await stage.client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  },
};
