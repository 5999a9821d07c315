import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { ListDeliveryStreamsCommand } from '@aws-sdk/client-firehose';
import { ListStreamsCommand } from '@aws-sdk/client-kinesis';
import { ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { getEndpointFromInstructions } from '@smithy/core/endpoints';
import { CodedError, type ServiceName } from '@twinstream/runtime';
import { dynamoDbClient } from './dynamodb/dynamodb-client.ts';
import { firehoseClient } from './firehose.ts';
import { kinesisClient } from './kinesis.ts';
import { lambdaClient } from './lambda.ts';
import { s3Client } from './s3.ts';

type Resolver = () => Promise<string>;

/** Credentials take no part in an address, unless it is to hold the account, which is not told. */
const NOBODY = { credentials: { accessKeyId: 'none', secretAccessKey: 'none' } };

/** Addresses as the SDK finds them: environment, its files, its rules. A request is not sent. */
const ENDPOINTS: Readonly<Record<ServiceName, Resolver>> = {
  kinesis: () => addressOf(kinesisClient(NOBODY), ListStreamsCommand),
  dynamodb: () => addressOf(dynamoDbClient(NOBODY), ListTablesCommand),
  firehose: () => addressOf(firehoseClient(NOBODY), ListDeliveryStreamsCommand),
  lambda: () => addressOf(lambdaClient(NOBODY), ListFunctionsCommand),
  s3: () => addressOf(s3Client(NOBODY), ListBucketsCommand),
};

/** The region that variables or files name; undefined where neither does. Asks no service. */
export async function regionOfSdk(): Promise<string | undefined> {
  const client = kinesisClient();
  try {
    return await client.config.region();
  } catch {
    return undefined;
  } finally {
    client.destroy();
  }
}

/**
 * One line that says where on AWS a command is about to work: region, addresses, names of what it touches. Asks no service.
 * Throws `INVALID_CONFIGURATION` where no region is set.
 */
export async function describeAwsTarget(
  services: readonly ServiceName[],
  names: Readonly<Record<string, string>>,
): Promise<string> {
  const region = await regionOfSdk();
  if (region === undefined) {
    throw new CodedError(
      'INVALID_CONFIGURATION',
      'No region: AWS_REGION is not set, and no profile of the AWS SDK names one.',
    );
  }
  const addresses = await Promise.all(services.map((service) => ENDPOINTS[service]()));
  const named = Object.entries(names).map(([kind, name]) => `${kind} ${name}`);
  return `target: AWS, region ${region}, ${[...new Set(addresses)].join(', ')}; ${named.join(', ')}`;
}

async function addressOf<Client extends { readonly config: object; destroy(): void }>(
  client: Client,
  command: Parameters<typeof getEndpointFromInstructions>[1],
): Promise<string> {
  try {
    const { url } = await getEndpointFromInstructions(
      {},
      command,
      client.config as unknown as Parameters<typeof getEndpointFromInstructions>[2],
    );
    return url.href.replace(/\/$/, '');
  } finally {
    client.destroy();
  }
}
