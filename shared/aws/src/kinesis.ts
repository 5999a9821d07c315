import { KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis';
import { httpTransport } from './http-transport.ts';

export function kinesisClient(options: KinesisClientConfig = {}): KinesisClient {
  return new KinesisClient({ ...httpTransport(), ...options });
}
