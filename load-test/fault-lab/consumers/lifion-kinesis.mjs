// @boundaries-ignore installed where it runs: see src/public-consumers.ts
import Kinesis from 'lifion-kinesis';

/** As its README starts it, with polling, which is its default: a lease for each shard, and checkpoints in DynamoDB. */
const { AWS_ENDPOINT_URL_KINESIS, AWS_ENDPOINT_URL_DYNAMODB, AWS_REGION: region, LAB_STREAM } = process.env;
const kinesis = new Kinesis({
  streamName: LAB_STREAM,
  consumerGroup: 'lab',
  createStreamIfNeeded: false,
  initialPositionInStream: 'TRIM_HORIZON',
  region,
  // Its SDK does not know the variables.
  endpoint: AWS_ENDPOINT_URL_KINESIS,
  dynamoDb: { endpoint: AWS_ENDPOINT_URL_DYNAMODB, region },
});
kinesis.on('data', ({ records }) => {
  for (const { data } of records) {
    process.stdout.write(`${typeof data === 'string' ? data : JSON.stringify(data)}\n`);
  }
});
kinesis.on('error', (error) => process.stderr.write(`${error}\n`));
await kinesis.startConsumer();
