import { KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { startKinesisLocal } from '@twinstream/test-kit';
import { kinesisContract } from './kinesis-contract.ts';

kinesisContract({
  name: 'kinesis-local',
  connect: async () => {
    const server = await startKinesisLocal();
    const client = new KinesisClient({
      endpoint: server.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
      // It has no HTTP/2 without TLS.
      requestHandler: new NodeHttpHandler(),
    });
    return {
      client,
      close: async () => {
        client.destroy();
        await server.stop();
      },
    };
  },
  skips: {
    'a name with a forbidden character and a shard count of 0 are refused':
      'it takes 0 for a limit that is passed',
    'a list of streams goes on with its token and carries summaries':
      'it has neither token nor summaries here',
    'PutRecords takes 500 records and no more, and not none': 'it takes 501',
    'PutRecords refuses more than 10 MiB': 'it takes 11',
    'data above 1 MiB is refused, and the whole request with it': 'it takes more',
    'an explicit hash key that is not a number is refused, and the whole request with it':
      'it fails inside, with 500',
    'AT_TIMESTAMP in the future is refused': 'it takes one',
    'an invalid iterator is refused': 'it fails inside, with 500',
    'a sequence number of another shard is refused': 'it takes one',
    'a shard is not split at or outside the ends of its hash keys': 'it splits at the first',
    'UpdateShardCount goes from 4 shards to 3 with no shard having more than two parents':
      'its shards are then as uneven as 2 to 1',
    'AT_TRIM_HORIZON lists the shards with which reading everything begins': 'it lists all',
    'AT_TIMESTAMP lists the shards that were open then': 'it lists all',
    'FROM_TIMESTAMP lists the shards that were open then or later': 'it lists a parent closed just before',
    'more records than a shard takes are refused one by one, and exactly the others are stored':
      'it never throttles',
    'more than five reads a second of a shard are refused': 'it never throttles',
  },
  patienceMs: 10_000,
});
