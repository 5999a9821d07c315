import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
} from '@aws-sdk/client-kinesis';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { startKinesisLocal, until } from '@twinstream/test-kit';

/** The maintained Kinesis emulator with a client of it. */
export interface KinesisStreams {
  readonly client: KinesisClient;
  /** Creates a stream and waits until it is active. */
  createStream(streamName: string, shardCount: number): Promise<void>;
  waitUntilActive(streamName: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startKinesisStreams(): Promise<KinesisStreams> {
  const { url, stop } = await startKinesisLocal();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = kinesisClient({ endpoint: url, region: 'us-east-1', credentials });
  const waitUntilActive = (StreamName: string) =>
    until(`${StreamName} is active`, async () => {
      const { StreamDescriptionSummary } = await client.send(
        new DescribeStreamSummaryCommand({ StreamName }),
      );
      return StreamDescriptionSummary?.StreamStatus === 'ACTIVE';
    });
  return {
    client,
    createStream: async (streamName, shardCount) => {
      await client.send(new CreateStreamCommand({ StreamName: streamName, ShardCount: shardCount }));
      await waitUntilActive(streamName);
    },
    waitUntilActive,
    stop: async () => {
      client.destroy();
      await stop();
    },
  };
}
