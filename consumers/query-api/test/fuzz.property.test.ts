import fc from 'fast-check';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { ENDPOINTS } from '../src/app.ts';
import { type TestApi, testApi } from './test-api.ts';

let api: TestApi;

beforeAll(async () => {
  api = testApi({ holdMs: 0 });
  await api.say('bus-1', { counter: 1, data: { site: 'north', n: 1 } });
  await api.say('bus-1', { counter: 2, data: { n: 2 } });
});
afterAll(() => api.close());

const HOSTILE = [
  '',
  '0',
  '-1',
  '1001',
  '99999999999999999999',
  '1e3',
  'NaN',
  'null',
  'true',
  '[]',
  '{}',
  "' OR 1=1 --",
  '<script>alert(1)</script>',
  '../../etc/passwd',
  '%00',
  '\u0000',
  '\ud800',
  '\u202e',
  '$' + '{jndi:ldap://x}',
  '__proto__',
  'constructor',
  '2026-11-02T08:00:00Z',
  '2026-13-02T08:00:00Z',
  '+275760-09-13T00:00:00.001Z',
  '9999-12-31T23:59:59Z',
  '0000-01-01T00:00:00Z',
  'x'.repeat(5_000),
  'W10',
  'e30',
  Buffer.from('["AAAAAAAAAAAAAAAA",["a","b"]]').toString('base64url'),
  Buffer.from('[1e999,[]]').toString('base64url'),
  Buffer.from(JSON.stringify([1, [['shardId-000000000000', '9'.repeat(200)]]])).toString('base64url'),
];

const value = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: 'binary' }),
  fc.base64String(),
  fc.double().map(String),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
);
const parameterNames = [
  ...new Set(ENDPOINTS.flatMap(({ query }) => Object.keys(query.shape))),
  '__proto__',
  'toString',
  'x[]',
];
const query = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...parameterNames), fc.string()), value), {
  maxLength: 5,
});
const method = fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH');
const endpoint = fc.constantFrom(...ENDPOINTS.map(({ path }) => path));
const deviceId = fc.oneof(fc.constant('bus-1'), value);

/** A text that any URL can carry: lone halves of surrogate pairs have no encoding. */
const encoded = (text: string) => encodeURIComponent(text.toWellFormed());

function expectHonest(path: string, answer: { status: number; body: unknown }): void {
  if (answer.status >= 500)
    throw new Error(`${path} answers ${answer.status}: ${JSON.stringify(answer.body)}`);
  const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? '');
  if (/\.ts:\d|node:internal|at \w+ \(/.test(text)) throw new Error(`${path} shows its inside: ${text}`);
}

describe('any request', () => {
  test('gets a documented answer, never a 5xx, never a stack', async () => {
    const request = fc.record({ endpoint, deviceId, query, method });
    await fc.assert(
      fc.asyncProperty(request, async (asked) => {
        const path = asked.endpoint.replace(/\{\w+\}/, encoded(asked.deviceId) || '%20');
        const search = asked.query.map(([name, text]) => `${encoded(name)}=${encoded(text)}`).join('&');
        // The client holds every answer to the OpenAPI document, problems included.
        const url = `${path}?${search}`;
        expectHonest(url, await api.ask(url, { method: asked.method }));
      }),
      { numRuns: 1_500 },
    );
  });

  test('with any bytes in path and query gets a documented answer', async () => {
    const raw = fc.string({
      unit: fc.constantFrom(...'/v1devics%2e0Fa.?&=:+;[]{}"\'\\~^|`<> #'),
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(raw, async (text) => {
        const path = `/${text.replaceAll('#', '')}`;
        // A path that begins with two slashes names another host.
        if (/^\/[/\\]/.test(path)) return;
        const plain = new URL(path, 'http://127.0.0.1').href.slice('http://127.0.0.1'.length);
        expectHonest(path, await api.ask(plain));
      }),
      { numRuns: 1_500 },
    );
  });

  test('with any body gets a documented answer', async () => {
    const member = fc.oneof(fc.jsonValue(), value);
    const body = fc.oneof(
      fc.json(),
      fc.string(),
      fc
        .record(
          {
            data: fc.oneof(member, fc.dictionary(fc.string(), member)),
            reason: member,
            actor: member,
            corrects: member,
            time: member,
          },
          { requiredKeys: [] },
        )
        .map((record) => JSON.stringify(record)),
    );
    const key = fc.option(fc.string({ minLength: 1 }).filter((text) => /^[\x20-\x7e]+$/.test(text)));
    await fc.assert(
      fc.asyncProperty(body, key, async (text, idempotencyKey) => {
        const answer = await api.ask('/v1/devices/bus-1/corrections', {
          method: 'POST',
          body: text,
          headers: {
            'content-type': 'application/json',
            ...(idempotencyKey === null ? {} : { 'idempotency-key': idempotencyKey }),
          },
        });
        expectHonest(text, answer);
      }),
      { numRuns: 1_000 },
    );
  });
});
