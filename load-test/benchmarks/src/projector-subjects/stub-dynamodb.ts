import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { dynamoDbClient } from '@twinstream/aws/dynamodb';

/** A client whose every request is made, signed and answered without a network: gets find nothing, writes succeed, alone and in batches. */
export interface StubbedDynamoDb {
  readonly client: DynamoDBClient;
  /** Requests answered so far. */
  readonly requestCount: () => number;
}

const encoder = new TextEncoder();
const ANSWER = encoder.encode('{}');
/** Answers to batches of so many statements that all took effect. */
const BATCH_ANSWERS = Array.from({ length: 26 }, (_, statements) =>
  encoder.encode(JSON.stringify({ Responses: Array.from({ length: statements }, () => ({})) })),
);
/** Precedes each statement of a batch; within a value its quotes would be escaped. */
const STATEMENT = '"Statement":';

/** The client that the product makes for itself, but for what would send its requests. */
export function stubbedDynamoDb(): StubbedDynamoDb {
  return stubbed(dynamoDbClient);
}

/** The SDK's client as it comes, but for what would send its requests. */
export function stubbedPlainDynamoDb(): StubbedDynamoDb {
  return stubbed((settings) => new DynamoDBClient(settings));
}

interface SentRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

function statementsOf(body: SentRequest['body'] = ''): number {
  // A body of the SDK warns where it is treated as a text: its bytes are looked at from outside.
  const bytes =
    typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  let [count, at] = [0, bytes.indexOf(STATEMENT)];
  for (; at !== -1; at = bytes.indexOf(STATEMENT, at + STATEMENT.length)) count += 1;
  return count;
}

function stubbed(makeClient: (settings: DynamoDBClientConfig) => DynamoDBClient): StubbedDynamoDb {
  let requestCount = 0;
  const client = makeClient({
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:9',
    credentials: { accessKeyId: 'stub', secretAccessKey: 'stub' },
    requestHandler: {
      handle: async ({ headers: asked, body }: SentRequest) => {
        requestCount += 1;
        const isBatch = asked['x-amz-target']?.endsWith('BatchExecuteStatement');
        const answer = isBatch ? BATCH_ANSWERS[statementsOf(body)] : ANSWER;
        const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'STUB' };
        return { response: { statusCode: 200, headers, body: answer } };
      },
    },
  });
  return { client, requestCount: () => requestCount };
}
