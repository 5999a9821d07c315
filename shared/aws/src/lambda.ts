import { LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { httpTransport } from './http-transport.ts';

export function lambdaClient(options: LambdaClientConfig = {}): LambdaClient {
  return new LambdaClient({ ...httpTransport(), ...options });
}
