import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { FirehoseClient, type FirehoseClientConfig } from '@aws-sdk/client-firehose';
import { KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis';
import { LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { KeepAliveHandler } from './keep-alive-handler.ts';

const CONNECTION_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 10_000;
const SOCKETS_MAX = 256;

/** Endpoints, region and credentials come from the SDK's own variables (`AWS_ENDPOINT_URL_KINESIS`, `AWS_REGION`, …). */
function transport() {
  // requestTimeout alone only warns: "throwOnRequestTimeout" of @smithy/node-http-handler, read 2026-11.
  const requestHandler = new NodeHttpHandler({
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    throwOnRequestTimeout: true,
    httpAgent: { keepAlive: true, maxSockets: SOCKETS_MAX },
    httpsAgent: { keepAlive: true, maxSockets: SOCKETS_MAX },
  });
  return { requestHandler };
}

export function kinesisClient(options: KinesisClientConfig = {}): KinesisClient {
  return new KinesisClient({ ...transport(), ...options });
}

export function dynamoDbClient(options: DynamoDBClientConfig = {}): DynamoDBClient {
  const requestHandler = new KeepAliveHandler({
    connectionTimeoutMs: CONNECTION_TIMEOUT_MS,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    socketsMax: SOCKETS_MAX,
  });
  return new DynamoDBClient({ requestHandler, ...options });
}

export function firehoseClient(options: FirehoseClientConfig = {}): FirehoseClient {
  return new FirehoseClient({ ...transport(), ...options });
}

/** Addresses buckets by path where a custom endpoint is set, because no name server knows `bucket.127.0.0.1`. */
export function s3Client(options: S3ClientConfig = {}): S3Client {
  return new S3Client({ ...transport(), forcePathStyle: true, ...options });
}

export function lambdaClient(options: LambdaClientConfig = {}): LambdaClient {
  return new LambdaClient({ ...transport(), ...options });
}
