import { NodeHttpHandler } from '@smithy/node-http-handler';

export const CONNECTION_TIMEOUT_MS = 2_000;
export const REQUEST_TIMEOUT_MS = 10_000;
export const SOCKETS_MAX = 256;

/**
 * The HTTP/1.1 handler of clients that send streams or rarely send. Endpoints, region and credentials come from the SDK's own
 * variables (`AWS_ENDPOINT_URL_KINESIS`, `AWS_REGION`, …).
 */
export function httpTransport(): { readonly requestHandler: NodeHttpHandler } {
  // requestTimeout alone only warns: "throwOnRequestTimeout" of @smithy/node-http-handler, read 2026-11.
  const requestHandler = new NodeHttpHandler({
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    throwOnRequestTimeout: true,
    httpAgent: { keepAlive: true, maxSockets: SOCKETS_MAX },
    httpsAgent: { keepAlive: true, maxSockets: SOCKETS_MAX },
  });
  return { requestHandler };
}
