import { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** A client whose every request is made, signed and answered without a network: gets find nothing, writes succeed. */
export interface StubbedDynamoDb {
  readonly client: DynamoDBClient;
  /** Requests answered so far. */
  readonly requestCount: () => number;
}

const ANSWER = new TextEncoder().encode('{}');

/** The SDK's client as it is, but for what would send its requests. */
export function stubbedDynamoDb(): StubbedDynamoDb {
  let requestCount = 0;
  const client = new DynamoDBClient({
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
