import { CodedError } from '@twinstream/runtime';
import { expect, test } from 'vitest';
import { explainStreamTrouble } from '../../src/command/stream-trouble.ts';

const local = { AWS_ENDPOINT_URL_KINESIS: 'http://127.0.0.1:4568', AWS_REGION: 'us-east-1' };
const named = (name: string, code?: string): Error =>
  Object.assign(new Error(name), { name, ...(code === undefined ? {} : { code }) });
const caused = (cause: unknown): CodedError => new CodedError('STREAM_X', 'what the stream said', { cause });

test.each([
  [
    caused(named('ResourceNotFoundException')),
    /there is no stream "s" at http:\/\/127\.0\.0\.1:4568: .*npx twinstream start.*--stream/,
  ],
  [
    caused(named('Error', 'ECONNREFUSED')),
    /nothing answers at http:\/\/127\.0\.0\.1:4568 \(ECONNREFUSED\).*npx twinstream start/,
  ],
  [caused(new AggregateError([named('Error', 'ECONNREFUSED')])), /nothing answers/],
  [caused(named('TimeoutError')), /nothing answers at .* \(TimeoutError\)/],
  [caused(new Error('Region is missing')), /no AWS region is set/],
  [caused(named('CredentialsProviderError')), /no AWS credentials are set/],
  [caused(named('AccessDeniedException')), /^what the stream said \(STREAM_X\)$/],
  [new Error('anything else'), /^anything else$/],
  ['not an error', /^not an error$/],
])('%s is explained', (error, message) => {
  expect(explainStreamTrouble(error, 's', local)).toMatch(message);
});

test('the endpoint is named as it was given', () => {
  const refused = caused(named('Error', 'ECONNREFUSED'));
  expect(explainStreamTrouble(refused, 's', { AWS_ENDPOINT_URL: 'http://x' })).toContain('http://x');
  expect(explainStreamTrouble(refused, 's', { AWS_REGION: 'eu-west-1' })).toContain(
    'Amazon Kinesis in eu-west-1',
  );
});
