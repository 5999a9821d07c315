import type { Hono } from 'hono';
import type { Access } from './access.ts';
import type { Endpoint } from './endpoint.ts';
import { httpApp } from './http-app.ts';
import { correctionsEndpoint } from './routes/corrections.ts';
import { deviceEndpoint } from './routes/device.ts';
import { deviceEventsEndpoint } from './routes/device-events.ts';
import { deviceSeriesEndpoint } from './routes/device-series.ts';
import { devicesEndpoint } from './routes/devices.ts';
import { docsEndpoint } from './routes/docs.ts';
import { fleetAggregatesEndpoint } from './routes/fleet-aggregates.ts';
import { fleetSummaryEndpoint } from './routes/fleet-summary.ts';
import { healthEndpoint } from './routes/healthz.ts';
import { openApiEndpoint } from './routes/openapi.ts';
import { pipelineEndpoint } from './routes/pipeline.ts';
import { readinessEndpoint } from './routes/readyz.ts';
import { updatesEndpoint } from './routes/updates.ts';
import type { QueryApiServices } from './services.ts';

/** All operations of the contract, in its order. */
export const ENDPOINTS: readonly Endpoint[] = [
  healthEndpoint,
  readinessEndpoint,
  devicesEndpoint,
  deviceEndpoint,
  deviceEventsEndpoint,
  deviceSeriesEndpoint,
  correctionsEndpoint,
  fleetSummaryEndpoint,
  fleetAggregatesEndpoint,
  updatesEndpoint,
  pipelineEndpoint,
  openApiEndpoint,
  docsEndpoint,
];

/** All that write nothing. */
export const READ_ENDPOINTS: readonly Endpoint[] = ENDPOINTS.filter(({ scope }) => scope !== 'write');

/** The whole API. */
export function createApp(services: QueryApiServices, access: Access): Hono {
  return httpApp(ENDPOINTS, services, access);
}
