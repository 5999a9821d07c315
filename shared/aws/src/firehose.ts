import { FirehoseClient, type FirehoseClientConfig } from '@aws-sdk/client-firehose';
import { httpTransport } from './http-transport.ts';

export function firehoseClient(options: FirehoseClientConfig = {}): FirehoseClient {
  return new FirehoseClient({ ...httpTransport(), ...options });
}
