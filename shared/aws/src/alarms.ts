import { CloudWatchClient, type CloudWatchClientConfig } from '@aws-sdk/client-cloudwatch';
import { SNSClient, type SNSClientConfig } from '@aws-sdk/client-sns';
import { httpTransport } from './http-transport.ts';

export function cloudWatchClient(options: CloudWatchClientConfig = {}): CloudWatchClient {
  return new CloudWatchClient({ ...httpTransport(), ...options });
}

export function snsClient(options: SNSClientConfig = {}): SNSClient {
  return new SNSClient({ ...httpTransport(), ...options });
}
