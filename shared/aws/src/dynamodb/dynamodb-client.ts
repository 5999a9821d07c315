import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { CONNECTION_TIMEOUT_MS, REQUEST_TIMEOUT_MS, SOCKETS_MAX } from '../http-transport.ts';
import { KeepAliveHandler } from './keep-alive-handler.ts';

export function dynamoDbClient(options: DynamoDBClientConfig = {}): DynamoDBClient {
  const requestHandler = new KeepAliveHandler({
    connectionTimeoutMs: CONNECTION_TIMEOUT_MS,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    socketsMax: SOCKETS_MAX,
  });
  return new DynamoDBClient({ requestHandler, ...options });
}
