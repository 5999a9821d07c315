import type {
  Acknowledged,
  Basis,
  CorrectionTaken,
  Discarded,
  EventList,
  FleetSummary,
  Order,
  PipelineStatus,
  QuarantinedPayload,
  QuarantineList,
  RedriveAnswer,
  Retired,
  SeriesAnswer,
  Trouble,
  WholeDevice,
  WholeDeviceList,
} from '@twinstream/api-contract';
import { type FleetQuery, writeFleetQuery } from '../model/fleet-query.ts';
import { type Outcome, requestJson, requestText, sendJson } from './request.ts';

export interface Slice {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

function pathOf(
  path: string,
  parameters: Readonly<Record<string, string | number | undefined>>,
  search = new URLSearchParams(),
): string {
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

/** Devices now, or at a moment. */
export function listDevices(
  query: FleetQuery,
  slice: Slice,
  signal?: AbortSignal,
  moment?: Moment,
): Promise<Outcome<WholeDeviceList>> {
  return requestJson(pathOf('v1/devices', { ...slice, ...moment }, writeFleetQuery(query)), signal);
}

/** A page of the list as text: members and attributes that `fields` names. */
export function exportDevices(
  query: FleetQuery,
  slice: Slice,
  fields: string,
  mediaType: string,
): ReturnType<typeof requestText> {
  return requestText(pathOf('v1/devices', { ...slice, fields }, writeFleetQuery(query)), mediaType);
}

export interface Moment {
  /** ISO 8601; of a list also relative: `now-15m`. */
  readonly at: string;
  readonly basis: Basis;
}

/** State of one device, now or at a moment, with the versions of its attributes. */
export function readDevice(
  deviceId: string,
  moment?: Moment,
  signal?: AbortSignal,
): Promise<Outcome<WholeDevice>> {
  const parameters = {
    at: moment?.at,
    basis: moment?.basis,
    fields: '*,attributeVersions,troubles,retirement',
  };
  return requestJson(pathOf(devicePath(deviceId), parameters), signal);
}

export interface SeriesQuery {
  readonly attribute: string;
  /** Milliseconds since 1970. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly intervalMs: number;
  readonly basis: Basis;
}

/** Numbers of one attribute over time: the last of each interval, as the history is stored now. */
export function readSeries(
  deviceId: string,
  { attribute, fromMs, toMs, intervalMs, basis }: SeriesQuery,
  signal?: AbortSignal,
): Promise<Outcome<SeriesAnswer>> {
  const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
  const query = { attribute, from, to, interval: `${intervalMs}ms`, aggregate: 'last', basis };
  return requestJson(pathOf(`${devicePath(deviceId)}/series`, query), signal);
}

export interface EventsQuery extends Slice {
  /** Arrivals from here, and before then; milliseconds since 1970. */
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly order: Order;
}

export function listEvents(
  deviceId: string,
  { fromMs, toMs, ...query }: EventsQuery,
  signal?: AbortSignal,
): Promise<Outcome<EventList>> {
  const iso = (timeMs: number | undefined) =>
    timeMs === undefined ? undefined : new Date(timeMs).toISOString();
  const range = { from: iso(fromMs), to: iso(toMs) };
  return requestJson(pathOf(`${devicePath(deviceId)}/events`, { ...range, ...query }), signal);
}

export function readPipeline(signal?: AbortSignal): Promise<Outcome<PipelineStatus>> {
  return requestJson('v1/pipeline', signal);
}

/** Counts of the fleet, or of the devices that meet a filter. */
export function readSummary(filter: FleetQuery, signal?: AbortSignal): Promise<Outcome<FleetSummary>> {
  return requestJson(pathOf('v1/fleet/summary', {}, writeFleetQuery(filter)), signal);
}

/** Who changes something, and why: recorded with it. */
export interface Signature {
  readonly reason: string;
  /** Where the API authenticates its callers it uses the caller instead. */
  readonly actor: string;
}

export interface Correction extends Signature {
  /** Attributes by name, each value as JSON in its own words: a number keeps its digits. */
  readonly data: readonly (readonly [name: string, json: string])[];
  readonly corrects?: { readonly session: number; readonly counter: number };
}

/** `key`: the same correction with the same key is stored once. */
export function correctDevice(
  deviceId: string,
  { data, ...rest }: Correction,
  key: string,
): Promise<Outcome<CorrectionTaken>> {
  const members = data.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',');
  const body = `{"data":{${members}},${JSON.stringify(rest).slice(1)}`;
  return sendJson(`${devicePath(deviceId)}/corrections`, body, { 'idempotency-key': key });
}

export interface Acknowledgement {
  readonly trouble: Trouble;
  readonly note: string;
  readonly actor: string;
  readonly withdraw?: true;
}

/** `key`: a repetition changes nothing. */
export function acknowledgeTrouble(
  deviceId: string,
  body: Acknowledgement,
  key: string,
): Promise<Outcome<Acknowledged>> {
  return sendJson(`${devicePath(deviceId)}/acknowledgements`, { ...body }, { 'idempotency-key': key });
}

export function retireDevice(
  deviceId: string,
  body: Signature & { readonly withdraw: boolean },
  key: string,
): Promise<Outcome<Retired>> {
  return sendJson(`${devicePath(deviceId)}/retirement`, { ...body }, { 'idempotency-key': key });
}

export interface QuarantineQuery {
  readonly rejection?: string | undefined;
  readonly partitionKey?: string | undefined;
}

export function listQuarantine(
  query: QuarantineQuery,
  slice: Slice,
  signal?: AbortSignal,
): Promise<Outcome<QuarantineList>> {
  return requestJson(pathOf('v1/quarantine', { ...query, ...slice }), signal);
}

function recordPath(recordId: string): string {
  return `v1/quarantine/${encodeURIComponent(recordId)}`;
}

export function readQuarantined(
  recordId: string,
  signal?: AbortSignal,
): Promise<Outcome<QuarantinedPayload>> {
  return requestJson(recordPath(recordId), signal);
}

/** Entries of a record as they were repaired. */
export type RepairedEntries = readonly { readonly subSequenceNumber: number; readonly text: string }[];

/** What a redrive would store; undefined entries: as they are. */
export function previewRedrive(
  recordId: string,
  entries: RepairedEntries | undefined,
): Promise<Outcome<RedriveAnswer>> {
  return sendJson(`${recordPath(recordId)}/redrive-preview`, { entries });
}

export function redriveRecord(
  recordId: string,
  entries: RepairedEntries | undefined,
  signature: Signature,
): Promise<Outcome<RedriveAnswer>> {
  return sendJson(`${recordPath(recordId)}/redrive`, { entries, ...signature });
}

export function discardRecord(recordId: string, signature: Signature): Promise<Outcome<Discarded>> {
  return sendJson(`${recordPath(recordId)}/discard`, { ...signature });
}
