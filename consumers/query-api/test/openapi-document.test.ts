import { Validator } from '@seriousme/openapi-schema-validator';
import { OPERATIONS, openApiDocument, PROBLEMS, problemType } from '@twinstream/api-contract';
import { describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../src/app.ts';

import { checkAnswer } from './checked-client.ts';
import { testApi } from './test-api.ts';

const document = JSON.parse(
  JSON.stringify(openApiDocument(OPERATIONS, { version: '1.0.0', identifiesCallers: true })),
);

describe('GET /openapi.json', () => {
  test('is a valid OpenAPI 3.1 document', async () => {
    const result = await new Validator().validate(structuredClone(document));
    expect(result).toEqual({ valid: true });
    expect(document.openapi).toMatch(/^3\.1\./);
  });

  test('is what the API answers', async () => {
    const api = testApi();
    const { body } = await api.ask('/openapi.json');
    expect(Object.keys(body.paths)).toEqual(ENDPOINTS.map(({ path }) => path));
    await api.close();
  });

  test('shows parameters with the limits that are enforced', () => {
    const parameters = document.paths['/v1/devices/{deviceId}/events'].get.parameters;
    expect(parameters).toContainEqual({
      name: 'limit',
      in: 'query',
      required: false,
      description: 'Most items of one answer: 1 to 1000.',
      schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
    });
    expect(parameters).toContainEqual(
      expect.objectContaining({
        name: 'from',
        schema: { anyOf: expect.arrayContaining([expect.objectContaining({ format: 'date-time' })]) },
      }),
    );
    expect(parameters).toContainEqual(
      expect.objectContaining({ name: 'deviceId', in: 'path', required: true }),
    );
  });

  test('is a page for people, too, which shows every operation and runs no script', async () => {
    const api = testApi();
    const { status, headers, body } = await api.ask('/docs');
    await api.close();
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
    for (const { method, path } of OPERATIONS) expect(body).toContain(`${method.toUpperCase()} ${path}<`);
    expect(body).not.toContain('<script');
    expect(body).toContain('<code>BAD_PARAMETER</code>');
    expect(body).not.toContain('`');
  });

  test('resolves every reference', () => {
    const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g);
    for (const [, name] of references) expect(Object.keys(document.components.schemas)).toContain(name);
  });
});

describe('what answers are held to', () => {
  test('refuses an answer that lacks a member, has one too many, or is not documented', () => {
    const list = { devices: [], total: 0, asOf: '2026-11-02T08:00:00Z', lastEventId: 'x' };
    const check = (status: number, body: unknown) => () =>
      checkAnswer('/v1/devices', 'GET', status, 'application/json', body);
    expect(check(200, list)).not.toThrow();
    expect(check(200, { ...list, total: undefined })).toThrow('total');
    expect(check(200, { ...list, total: '0' })).toThrow('integer');
    expect(check(200, { ...list, extra: 1 })).toThrow('additional');
    expect(check(200, { ...list, asOf: 'today' })).toThrow('format');
    expect(check(201, list)).toThrow('does not document 201');
  });
});

test('every problem has a type of its own that never changes', () => {
  const types = Object.keys(PROBLEMS).map((code) => problemType(code as keyof typeof PROBLEMS));
  expect(types).toMatchInlineSnapshot(`
    [
      "urn:twinstream:problem:bad-parameter",
      "urn:twinstream:problem:bad-body",
      "urn:twinstream:problem:bad-cursor",
      "urn:twinstream:problem:bad-request",
      "urn:twinstream:problem:unauthenticated",
      "urn:twinstream:problem:not-allowed",
      "urn:twinstream:problem:device-not-found",
      "urn:twinstream:problem:state-missing",
      "urn:twinstream:problem:no-state-at-time",
      "urn:twinstream:problem:correction-ahead",
      "urn:twinstream:problem:corrected-event-not-stored",
      "urn:twinstream:problem:no-such-trouble",
      "urn:twinstream:problem:idempotency-key-reused",
      "urn:twinstream:problem:not-in-quarantine",
      "urn:twinstream:problem:not-found",
      "urn:twinstream:problem:method-not-allowed",
      "urn:twinstream:problem:cursor-expired",
      "urn:twinstream:problem:body-too-large",
      "urn:twinstream:problem:unsupported-media-type",
      "urn:twinstream:problem:headers-too-large",
      "urn:twinstream:problem:too-many-streams",
      "urn:twinstream:problem:internal",
      "urn:twinstream:problem:no-operations-table",
      "urn:twinstream:problem:unavailable",
    ]
  `);
});
