import { type FleetQuery, writeFleetQuery } from '../model/fleet-query.ts';
import { decodeDevice, decodeHistoryEvent, decodeListed, decodePipeline, decodeSummary } from './decode.ts';
import { type Outcome, requestJson } from './request.ts';
import type { Device, FleetSummary, HistoryEvent, Listed, Pipeline } from './shapes.ts';

/** Most items of one answer (the API's own limit). */
export const LIMIT_MAX = 1_000;

export interface Slice {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

function pathOf(path: string, parameters: Readonly<Record<string, string | number | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? path : `${path}?${search}`;
}

const devicePath = (deviceId: string): string => `v1/devices/${encodeURIComponent(deviceId)}`;

export function listDevices(
  query: FleetQuery,
  slice: Slice,
  signal?: AbortSignal,
): Promise<Outcome<Listed<Device>>> {
  const parameters = { ...Object.fromEntries(writeFleetQuery(query)), ...slice };
  return requestJson(
    pathOf('v1/devices', parameters),
    (value) => decodeListed(value, 'devices', decodeDevice),
    signal,
  );
}

/** State of one device: now, or as accepted by `at` (ISO 8601). */
export function readDevice(deviceId: string, at?: string, signal?: AbortSignal): Promise<Outcome<Device>> {
  return requestJson(pathOf(devicePath(deviceId), { at }), decodeDevice, signal);
}

export interface EventsQuery extends Slice {
  /** Arrivals from here; milliseconds since 1970. */
  readonly fromMs?: number;
  readonly order: 'asc' | 'desc';
}

export function listEvents(
  deviceId: string,
  { fromMs, ...query }: EventsQuery,
  signal?: AbortSignal,
): Promise<Outcome<Listed<HistoryEvent>>> {
  const from = fromMs === undefined ? undefined : new Date(fromMs).toISOString();
  return requestJson(
    pathOf(`${devicePath(deviceId)}/events`, { from, ...query }),
    (value) => decodeListed(value, 'events', decodeHistoryEvent),
    signal,
  );
}

export function readPipeline(signal?: AbortSignal): Promise<Outcome<Pipeline>> {
  return requestJson('v1/pipeline', decodePipeline, signal);
}

export function readSummary(signal?: AbortSignal): Promise<Outcome<FleetSummary>> {
  return requestJson('v1/fleet/summary', decodeSummary, signal);
}
