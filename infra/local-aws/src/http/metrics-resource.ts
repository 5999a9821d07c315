import { type Exposition, METRICS_PATH } from '@twinstream/telemetry';
import { answer, type RequestHandler } from './loopback-server.ts';

/** Answers `GET /metrics`, and leaves all other requests to the handler of the server. */
export function withMetrics(expose: () => Promise<Exposition>, others: RequestHandler): RequestHandler {
  return async (request, response) => {
    if (request.url !== METRICS_PATH || request.method !== 'GET') return others(request, response);
    const { contentType, text } = await expose();
    answer(response, 200, { 'content-type': contentType, 'cache-control': 'no-store' }, text);
  };
}
