import type { Basis } from '@twinstream/api-contract';
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

/** The ids `.` and `..`, which no path can hold, are written `~.` and `~..`, as the API reads them. */
export function devicePath(deviceId: string): string {
  const segment = /^\.{1,2}$/.test(deviceId) ? `~${deviceId}` : encodeURIComponent(deviceId);
  return `v1/devices/${segment}`;
}

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

export interface Moment {
  /** ISO 8601. */
  readonly at: string;
  readonly basis: Basis;
}

/** An API of less knows no `fields`, or no attribute versions. */
let hasAttributeVersions = true;

/** State of one device, now or at a moment, with the versions of its attributes where the API tells them. */
export async function readDevice(
  deviceId: string,
  moment?: Moment,
  signal?: AbortSignal,
): Promise<Outcome<Device>> {
  const parameters = {
    at: moment?.at,
    basis: moment?.basis,
  };
  const read = (fields?: string): Promise<Outcome<Device>> =>
    requestJson(pathOf(devicePath(deviceId), { ...parameters, fields }), decodeDevice, signal);
  if (!hasAttributeVersions) return read();
  const outcome = await read('*,attributeVersions');
  if (outcome.kind !== 'refused' || outcome.status !== 400) return outcome;
  const plain = await read();
  if (plain.kind === 'answered') hasAttributeVersions = false;
  return plain;
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

/** Counts of the fleet, or of the devices that meet a filter. */
export function readSummary(filter: FleetQuery, signal?: AbortSignal): Promise<Outcome<FleetSummary>> {
  return requestJson(
    pathOf('v1/fleet/summary', Object.fromEntries(writeFleetQuery(filter))),
    decodeSummary,
    signal,
  );
}
