import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { dynamoDbClient } from '@twinstream/aws/dynamodb';

/** A client whose every request is made, signed and answered without a network: gets find nothing, writes succeed. */
export interface StubbedDynamoDb {
  readonly client: DynamoDBClient;
  /** Requests answered so far. */
  readonly requestCount: () => number;
}

const ANSWER = new TextEncoder().encode('{}');

/** The client that the product makes for itself, but for what would send its requests. */
export function stubbedDynamoDb(): StubbedDynamoDb {
  return stubbed(dynamoDbClient);
}

/** The SDK's client as it comes, but for what would send its requests. */
export function stubbedPlainDynamoDb(): StubbedDynamoDb {
  return stubbed((settings) => new DynamoDBClient(settings));
}

function stubbed(makeClient: (settings: DynamoDBClientConfig) => DynamoDBClient): StubbedDynamoDb {
  let requestCount = 0;
  const client = makeClient({
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:9',
    credentials: { accessKeyId: 'stub', secretAccessKey: 'stub' },
    requestHandler: {
      handle: async () => {
        requestCount += 1;
        const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'STUB' };
        return { response: { statusCode: 200, headers, body: ANSWER } };
      },
    },
  });
  return { client, requestCount: () => requestCount };
}
