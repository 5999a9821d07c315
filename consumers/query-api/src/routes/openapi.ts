import { z } from 'zod';
import { type Endpoint, endpoint, jsonAnswer, NO_PARAMETERS } from '../endpoint.ts';
import { openApiDocument } from '../openapi-document.ts';

/** The version of the interface, not of the code behind it. */
const INTERFACE_VERSION = '1.0.0';

/** The description of all operations, this one among them. */
export function openApiEndpoint(others: readonly Endpoint[]): Endpoint {
  let document: unknown;
  const self: Endpoint = endpoint(
    {
      method: 'get',
      path: '/openapi.json',
      operationId: 'getOpenApi',
      summary: 'This document',
      scope: 'open',
      params: NO_PARAMETERS,
      query: NO_PARAMETERS,
      answers: { 200: { description: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) } },
    },
    async () => {
      document ??= openApiDocument([...others, self], INTERFACE_VERSION);
      return jsonAnswer(document, { 'cache-control': 'no-cache' });
    },
  );
  return self;
}
