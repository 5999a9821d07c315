import type { Operation } from '@twinstream/api-contract';
import type { Hono } from 'hono';
import type { Access } from './access.ts';
import type { Endpoint } from './endpoint.ts';
import { httpApp } from './http-app.ts';
import { acknowledgementEndpoint, retirementEndpoint } from './routes/annotations.ts';
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
import {
  discardEndpoint,
  quarantinedEndpoint,
  quarantineListEndpoint,
  redriveEndpoint,
  redrivePreviewEndpoint,
} from './routes/quarantine.ts';
import { readinessEndpoint } from './routes/readyz.ts';
import { updatesEndpoint } from './routes/updates.ts';
import type { QueryApiServices } from './services.ts';

/** On AWS a function of its own: the one that may read payloads in quarantine, and store what is redriven. */
export const QUARANTINE_ENDPOINTS = [
  quarantineListEndpoint,
  quarantinedEndpoint,
  redrivePreviewEndpoint,
  redriveEndpoint,
  discardEndpoint,
] as const;

/** What operators say of devices, kept in the table of operators. */
const ANNOTATION_ENDPOINTS = [acknowledgementEndpoint, retirementEndpoint] as const;

/** On AWS a function of its own: the one that may put records on the stream, and write what operators say of devices. */
export const CORRECTION_ENDPOINTS = [correctionsEndpoint, ...ANNOTATION_ENDPOINTS] as const;

/** The partitions of the table of operators in which that is kept. */
export { ANNOTATION_KINDS } from '@twinstream/table-generation/annotations';
export { CROSS_ORIGIN } from './allowed-origins.ts';

/** All operations of the contract, in its order. */
export const ENDPOINTS: readonly Endpoint[] = [
  healthEndpoint,
  readinessEndpoint,
  devicesEndpoint,
  deviceEndpoint,
  deviceEventsEndpoint,
  deviceSeriesEndpoint,
  ...CORRECTION_ENDPOINTS,
  fleetSummaryEndpoint,
  fleetAggregatesEndpoint,
  updatesEndpoint,
  pipelineEndpoint,
  ...QUARANTINE_ENDPOINTS,
  openApiEndpoint,
  docsEndpoint,
];

const OF_OTHER_FUNCTIONS: readonly Operation[] = [...CORRECTION_ENDPOINTS, ...QUARANTINE_ENDPOINTS];

/** All that write nothing, and read no payload in quarantine. */
export const READ_ENDPOINTS: readonly Endpoint[] = ENDPOINTS.filter(
  (one) => !OF_OTHER_FUNCTIONS.includes(one),
);

/** The whole API. */
export function createApp(services: QueryApiServices, access: Access, origins: readonly string[] = []): Hono {
  return httpApp(ENDPOINTS, services, access, origins);
}
