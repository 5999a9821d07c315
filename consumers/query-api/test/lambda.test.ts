import { readEvents } from '@twinstream/test-kit';
import type { LambdaContext } from 'hono/aws-lambda';
import { handle } from 'hono/aws-lambda';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createApp } from '../src/app.ts';
import { lambdaAccess } from '../src/lambda-access.ts';
import { checkAnswer } from './checked-client.ts';
import { type TestApi, testApi } from './test-api.ts';

let api: TestApi;

beforeEach(async () => {
  api = testApi({ hints: false, holdMs: 0 });
  await api.say('bus-1', { counter: 1, data: { n: 1 } });
});
afterEach(() => api.close());

const JWT = (scope: string) => ({ jwt: { claims: { sub: 'ann', scope }, scopes: null } });
const IAM = { iam: { userArn: 'arn:aws:iam::123456789012:user/ann' } };

/** An event of an HTTP API, payload format 2.0. */
function httpEvent(
  method: string,
  path: string,
  authorizer: unknown,
  init: { query?: string; body?: string } = {},
) {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: init.query ?? '',
    headers: { host: 'abc.execute-api.us-east-1.amazonaws.com', 'content-type': 'application/json' },
    requestContext: {
      accountId: '123456789012',
      apiId: 'abc',
      authentication: null,
      authorizer,
      domainName: 'abc.execute-api.us-east-1.amazonaws.com',
      domainPrefix: 'abc',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
      requestId: 'r',
      routeKey: '$default',
      stage: '$default',
      time: '',
      timeEpoch: 0,
    },
    body: init.body ?? null,
    isBase64Encoded: false,
  };
}

async function invoke(
  method: string,
  path: string,
  authorizer: unknown,
  init: { query?: string; body?: string } = {},
) {
  const handler = handle(createApp(api.services, lambdaAccess));
  const event = httpEvent(method, path, authorizer, init);
  // The adapter names only those members of the event and the context that it reads.
  const answer = await handler(event as Parameters<typeof handler>[0], {} as LambdaContext);
  const text = answer.isBase64Encoded ? Buffer.from(answer.body, 'base64').toString() : answer.body;
  const mediaType = String(answer.headers?.['content-type']);
  const body = mediaType?.includes('json') ? JSON.parse(text) : text;
  checkAnswer(path, method, answer.statusCode, mediaType, body);
  return { status: answer.statusCode, body };
}

describe('on Lambda', () => {
  test('answers callers whose token may read', async () => {
    const { status, body } = await invoke('GET', '/v1/devices/bus-1', JWT('openid twinstream/read'));
    expect([status, body.deviceId]).toEqual([200, 'bus-1']);
  });

  test('reads the query string', async () => {
    const { status, body } = await invoke('GET', '/v1/devices', IAM, { query: 'limit=0' });
    expect([status, body.parameter]).toEqual([400, 'limit']);
  });

  test('refuses tokens without the scope, and requests that no authorizer has seen', async () => {
    expect((await invoke('GET', '/v1/devices', JWT('openid'))).status).toBe(403);
    const body = JSON.stringify({ data: { n: 2 }, reason: 'r' });
    expect(
      (await invoke('POST', '/v1/devices/bus-1/corrections', JWT('twinstream/read'), { body })).status,
    ).toBe(403);
    expect((await invoke('GET', '/v1/devices', undefined)).status).toBe(401);
    expect((await invoke('GET', '/v1/devices', {})).status).toBe(401);
    expect((await invoke('GET', '/healthz', undefined)).status).toBe(200);
  });

  test('records who corrected, whatever the body says', async () => {
    const body = JSON.stringify({ data: { n: 2 }, reason: 'r', actor: 'somebody else' });
    const { status } = await invoke('POST', '/v1/devices/bus-1/corrections', JWT('twinstream/write'), {
      body,
    });
    expect(status).toBe(202);
    const { body: history } = await invoke('GET', '/v1/devices/bus-1/events', IAM, {
      query: 'order=desc&limit=1',
    });
    expect(history.events[0]).toMatchObject({ type: 'corrected', actor: 'ann', data: { n: 2 } });
  });

  test('ends an update stream after what there is', async () => {
    const { status, body } = await invoke('GET', '/v1/updates', IAM, { query: 'snapshot=true' });
    expect([status, readEvents(body).map(({ event }) => event)]).toEqual([200, ['device', 'sync']]);
  });
});
