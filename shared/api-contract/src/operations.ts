import { z } from 'zod';
import { acknowledgeTrouble, retireDevice } from './annotation-operations.ts';
import { correctDevice, getDevice, listDeviceEvents, listDevices } from './device-operations.ts';
import { fieldsParameter } from './field-selection.ts';
import { FILTER_PARAMETERS, fleetSummarySchema } from './fleet.ts';
import { getFleetAggregates } from './fleet-aggregates.ts';
import { NO_PARAMETERS, type Operation, operation, TAG_HEADERS, UNCHANGED } from './operation.ts';
import { flagParameter, IF_NONE_MATCH } from './parameters.ts';
import { pipelineStatusSchema } from './pipeline-status.ts';
import {
  discardRecord,
  getQuarantined,
  listQuarantine,
  previewRedrive,
  redriveRecord,
} from './quarantine-operations.ts';
import { getDeviceSeries } from './series.ts';

const healthSchema = z.object({ status: z.literal('ok') });
export type Health = z.infer<typeof healthSchema>;

export const getHealth = operation({
  method: 'get',
  path: '/healthz',
  operationId: 'getHealth',
  summary: 'Whether this process answers',
  scope: 'open',
  params: NO_PARAMETERS,
  query: NO_PARAMETERS,
  answers: { 200: { description: 'The API is healthy.', schema: healthSchema } },
});

const readinessSchema = z.object({ status: z.literal('ready'), asOf: z.iso.datetime() });
export type Readiness = z.infer<typeof readinessSchema>;

export const getReadiness = operation({
  method: 'get',
  path: '/readyz',
  operationId: 'getReadiness',
  summary: 'Whether this process can answer for the fleet',
  description: 'Answers with 503 until the fleet has been read, and while it cannot be read.',
  scope: 'read',
  params: NO_PARAMETERS,
  query: NO_PARAMETERS,
  answers: { 200: { description: 'The fleet can be answered.', schema: readinessSchema } },
});

export const getFleetSummary = operation({
  method: 'get',
  path: '/v1/fleet/summary',
  operationId: 'getFleetSummary',
  summary: 'Counts of the fleet, or of those devices that meet a filter',
  scope: 'read',
  params: NO_PARAMETERS,
  query: z.strictObject(FILTER_PARAMETERS),
  headers: IF_NONE_MATCH,
  answers: {
    200: {
      description: 'The counts, and how fresh they are.',
      schema: fleetSummarySchema,
      headers: TAG_HEADERS,
    },
    ...UNCHANGED,
  },
});

export const getPipeline = operation({
  method: 'get',
  path: '/v1/pipeline',
  operationId: 'getPipeline',
  summary: 'How far the pipeline is, shard by shard',
  scope: 'read',
  params: NO_PARAMETERS,
  query: NO_PARAMETERS,
  answers: { 200: { description: 'The pipeline.', schema: pipelineStatusSchema } },
});

/** Longest id of a `sync` message that a client may bring back. */
export const RESUME_TOKEN_CHARACTERS_MAX = 14_000;
const tokenRule = `must be at most ${RESUME_TOKEN_CHARACTERS_MAX} characters`;
const resumeToken = (description: string) =>
  z.string().max(RESUME_TOKEN_CHARACTERS_MAX, tokenRule).optional().meta({ description });

export const streamUpdates = operation({
  method: 'get',
  path: '/v1/updates',
  operationId: 'streamUpdates',
  summary: 'Changes of the fleet as they happen',
  description: [
    'Server-sent events. `device`: a device that changed, whole, or those members that `fields` names; of several changes in a',
    'short time the last is sent. `leave`: `{"deviceIds":[…]}` that no longer meet the filter. `sync`: `{"asOf":…}`, everything',
    'finished before then has been told; its id is what a client brings back as `Last-Event-ID`, and gets whatever has changed',
    'since, perhaps with devices that it knows already. It holds for any process of this API, also after a restart. A `sync` at',
    'least every 10 seconds says that the stream is alive. Where a driver cannot hold a stream open it ends after what there is.',
  ].join(' '),
  scope: 'read',
  params: NO_PARAMETERS,
  query: z.strictObject({
    ...FILTER_PARAMETERS,
    fields: fieldsParameter(),
    snapshot: flagParameter('Send all devices of the filter first.'),
    lastEventId: resumeToken(
      'Like the header, for a first connection: the `lastEventId` of a list continues after that list.',
    ),
  }),
  headers: z.object({ 'last-event-id': resumeToken('Id of the last `sync` that the client has seen.') }),
  answers: { 200: { description: 'The stream.', mediaType: 'text/event-stream' } },
  problems: ['TOO_MANY_STREAMS'],
});

export const getOpenApi = operation({
  method: 'get',
  path: '/openapi.json',
  operationId: 'getOpenApi',
  summary: 'This document',
  scope: 'open',
  params: NO_PARAMETERS,
  query: NO_PARAMETERS,
  answers: { 200: { description: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) } },
});

export const getDocs = operation({
  method: 'get',
  path: '/docs',
  operationId: 'getDocs',
  summary: 'The same for people',
  scope: 'open',
  params: NO_PARAMETERS,
  query: NO_PARAMETERS,
  answers: { 200: { description: 'A page.', mediaType: 'text/html; charset=utf-8' } },
});

/** All operations, in the order in which the documentation shows them. */
export const OPERATIONS: readonly Operation[] = [
  getHealth,
  getReadiness,
  listDevices,
  getDevice,
  listDeviceEvents,
  getDeviceSeries,
  correctDevice,
  acknowledgeTrouble,
  retireDevice,
  getFleetSummary,
  getFleetAggregates,
  streamUpdates,
  getPipeline,
  listQuarantine,
  getQuarantined,
  previewRedrive,
  redriveRecord,
  discardRecord,
  getOpenApi,
  getDocs,
];
