import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { httpTransport } from './http-transport.ts';

/** Sends to the endpoint that it is given, also where the address of a queue names another host, as addresses of local servers do. */
export function sqsClient(options: SQSClientConfig = {}): SQSClient {
  return new SQSClient({ ...httpTransport(), useQueueUrlAsEndpoint: false, ...options });
}
