import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { HttpRequest } from '@smithy/core/protocols';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPlainPath, postSigner } from '../src/dynamodb/post-signer.ts';

const region = 'eu-west-1';
const service = 'dynamodb';

/** What the SDK's own signer makes of the same request. */
async function signedBySdk(
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
  path: string,
  headers: Record<string, string>,
  body: string,
  signingDate: Date,
) {
  const client = new DynamoDBClient({ region, credentials });
  const signer = await client.config.signer({
    name: 'sigv4',
    signingName: service,
    signingRegion: region,
    properties: {},
  });
  const length = String(Buffer.byteLength(body));
  const request = new HttpRequest({
    protocol: 'https:',
    hostname: 'dynamodb.eu-west-1.amazonaws.com',
    method: 'POST',
    path,
    headers: { ...headers, 'content-length': length },
    body,
  });
  const signed = await signer.sign(request, { signingDate });
  return HttpRequest.isInstance(signed) ? signed.headers : undefined;
}

const key = fc.stringMatching(/^[A-Za-z0-9+/]{1,60}$/);
const value = fc.stringMatching(/^[!-~](?:[ -~]{0,30}[!-~])?$/);

test('signs as the SDK does, with any key, token, day, header and body', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ accessKeyId: key, secretAccessKey: key, sessionToken: fc.option(key, { nil: undefined }) }),
      fc.constantFrom('/', '/base', '/base/more_1/'),
      value,
      fc.array(
        fc.tuple(
          fc.string({ unit: 'binary' }),
          fc.date({ min: new Date(0), max: new Date('2099-01-01'), noInvalidDate: true }),
        ),
        { minLength: 1, maxLength: 3 },
      ),
      async ({ sessionToken, ...keys }, path, drawn, requests) => {
        const credentials = { ...keys, ...(sessionToken === undefined ? {} : { sessionToken }) };
        const headers = {
          host: 'dynamodb.eu-west-1.amazonaws.com',
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': 'DynamoDB_20120810.PutItem',
          'user-agent': 'some agent',
          'x-amz-drawn': drawn,
        };
        const sign = postSigner({ path, headers, region, service, credentials: async () => credentials });
        for (const [body, date] of requests) {
          expect(await sign(body, date)).toEqual(await signedBySdk(credentials, path, headers, body, date));
        }
      },
    ),
  );
});

test('signs with the credentials of the moment, also when they change within a day', async () => {
  const headers = { host: 'dynamodb.eu-west-1.amazonaws.com', 'x-amz-target': 'DynamoDB_20120810.PutItem' };
  const rotated = [
    { accessKeyId: 'first', secretAccessKey: 'a' },
    { accessKeyId: 'second', secretAccessKey: 'b', sessionToken: 'token' },
    { accessKeyId: 'third', secretAccessKey: 'c' },
  ];
  let current = rotated[0];
  const sign = postSigner({
    path: '/',
    headers,
    region,
    service,
    credentials: async () => current ?? { accessKeyId: '', secretAccessKey: '' },
  });
  const noon = new Date('2026-11-30T12:00:00Z');
  for (const credentials of rotated) {
    current = credentials;
    expect(await sign('{}', noon)).toEqual(await signedBySdk(credentials, '/', headers, '{}', noon));
  }
});

test('signs with the key of the day, on both sides of midnight', async () => {
  const headers = { host: 'dynamodb.eu-west-1.amazonaws.com' };
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };
  const sign = postSigner({ path: '/', headers, region, service, credentials: async () => credentials });
  for (const time of ['2026-11-30T23:59:59Z', '2026-12-01T00:00:00Z', '2026-11-30T23:59:59Z']) {
    const date = new Date(time);
    expect(await sign('{}', date)).toEqual(await signedBySdk(credentials, '/', headers, '{}', date));
  }
});

test.each([
  ['/', true],
  ['/base', true],
  ['/base/more_1-x/', true],
  ['', false],
  ['base', false],
  ['//', false],
  ['/a/../b', false],
  ['/a%20b', false],
  ['/ä', false],
])('%j is a plain path: %s', (path, isPlain) => {
  expect(isPlainPath(path)).toBe(isPlain);
});
