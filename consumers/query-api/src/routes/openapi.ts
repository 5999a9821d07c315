import { getOpenApi, OPERATIONS, openApiDocument } from '@twinstream/api-contract';
import { endpoint, jsonTextAnswer } from '../endpoint.ts';

/** The version of the interface, not of the code behind it. */
const INTERFACE_VERSION = '1.0.0';

let document: string | undefined;

/** The contract as a document: all operations, this one among them. */
export const openApiEndpoint = endpoint(getOpenApi, async () => {
  document ??= JSON.stringify(openApiDocument(OPERATIONS, INTERFACE_VERSION));
  return jsonTextAnswer(document, { 'cache-control': 'no-cache' });
});
