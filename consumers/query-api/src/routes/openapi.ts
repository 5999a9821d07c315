import { getOpenApi, OPERATIONS, openApiDocument } from '@twinstream/api-contract';
import { endpoint, jsonTextAnswer } from '../endpoint.ts';

/** The version of the interface, not of the code behind it. */
const INTERFACE_VERSION = '1.0.0';

const documents = new Map<boolean, string>();

/** The contract as a document: all operations, this one among them. */
export const openApiEndpoint = endpoint(getOpenApi, async (_request, { identifiesCallers }) => {
  const document =
    documents.get(identifiesCallers) ??
    JSON.stringify(openApiDocument(OPERATIONS, { version: INTERFACE_VERSION, identifiesCallers }));
  documents.set(identifiesCallers, document);
  return jsonTextAnswer(document, { 'cache-control': 'no-cache' });
});
