import type {
  Basis,
  EventList,
  FleetSummary,
  Order,
  PipelineStatus,
  WholeDevice,
  WholeDeviceList,
} from '@twinstream/api-contract';
import { type FleetQuery, writeFleetQuery } from '../model/fleet-query.ts';
import { type Outcome, requestJson } from './request.ts';

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

/** `~` is written `~0`, `/` is `~1`, and the ids `.` and `..`, which no path can hold, are `~.` and `~..`, as the API reads them. */
export function devicePath(deviceId: string): string {
  const segment = /^\.{1,2}$/.test(deviceId)
    ? `~${deviceId}`
    : encodeURIComponent(deviceId.replaceAll('~', '~0').replaceAll('/', '~1'));
  return `v1/devices/${segment}`;
}

export function listDevices(
  query: FleetQuery,
  slice: Slice,
  signal?: AbortSignal,
): Promise<Outcome<WholeDeviceList>> {
  return requestJson(
    pathOf('v1/devices', { ...Object.fromEntries(writeFleetQuery(query)), ...slice }),
    signal,
  );
}

export interface Moment {
  /** ISO 8601. */
  readonly at: string;
  readonly basis: Basis;
}

/** State of one device, now or at a moment, with the versions of its attributes. */
export function readDevice(
  deviceId: string,
  moment?: Moment,
  signal?: AbortSignal,
): Promise<Outcome<WholeDevice>> {
  const parameters = { at: moment?.at, basis: moment?.basis, fields: '*,attributeVersions,troubles' };
  return requestJson(pathOf(devicePath(deviceId), parameters), signal);
}

export interface EventsQuery extends Slice {
  /** Arrivals from here; milliseconds since 1970. */
  readonly fromMs?: number;
  readonly order: Order;
}

export function listEvents(
  deviceId: string,
  { fromMs, ...query }: EventsQuery,
  signal?: AbortSignal,
): Promise<Outcome<EventList>> {
  const from = fromMs === undefined ? undefined : new Date(fromMs).toISOString();
  return requestJson(pathOf(`${devicePath(deviceId)}/events`, { from, ...query }), signal);
}

export function readPipeline(signal?: AbortSignal): Promise<Outcome<PipelineStatus>> {
  return requestJson('v1/pipeline', signal);
}

/** Counts of the fleet, or of the devices that meet a filter. */
export function readSummary(filter: FleetQuery, signal?: AbortSignal): Promise<Outcome<FleetSummary>> {
  return requestJson(pathOf('v1/fleet/summary', Object.fromEntries(writeFleetQuery(filter))), signal);
}
