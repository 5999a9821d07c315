import { type Operation, operation } from '@twinstream/api-contract';
import { METRICS_PATH } from '@twinstream/telemetry';
import { z } from 'zod';
import { type Endpoint, endpoint } from '../endpoint.ts';
import type { ApiMetrics } from './api-metrics.ts';

const NOTHING = z.strictObject({});

/** Of a process that lives on alone: a function of Lambda has its metrics in CloudWatch. */
const getMetrics = operation({
  method: 'get',
  path: METRICS_PATH,
  operationId: 'getMetrics',
  summary: 'Metrics in the text format of Prometheus',
  scope: 'read',
  params: NOTHING,
  query: NOTHING,
  answers: { 200: { description: 'The metrics.', mediaType: 'text/plain' } },
} satisfies Operation);

/** Answers a scrape. It is no part of the contract: a deployment without a process of its own has none. */
export function metricsEndpoint({ expose }: Pick<ApiMetrics, 'expose'>): Endpoint {
  return endpoint(getMetrics, async () => {
    const { contentType, text } = await expose();
    return new Response(text, { headers: { 'content-type': contentType, 'cache-control': 'no-store' } });
  });
}
