import type { JsonObject, JsonValue, Labels } from '@twinstream/device-model';
import {
  type AttributeFacts,
  type Device,
  type FleetSummary,
  type HistoryEvent,
  LABELS,
  LIVENESS,
  type Listed,
  type Liveness,
  type Pipeline,
  type ReplayJob,
  type ShardHealth,
  type Tally,
  type WirePosition,
  type WireVersion,
} from './shapes.ts';

/** True for what `{…}` parses to. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Each decoder gives undefined for an answer that lacks what this page cannot do without, and leaves out what it can.

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const finite = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;
const object = (value: unknown): JsonObject | undefined => (isJsonObject(value) ? value : undefined);

/** Milliseconds since 1970 from ISO 8601 text or from a number of milliseconds. */
export function timeMs(value: unknown): number | undefined {
  if (typeof value === 'string') return finite(Date.parse(value));
  return finite(value);
}

function decodeVersion(value: unknown): WireVersion | undefined {
  const version = object(value);
  const session = finite(version?.session);
  const counter = finite(version?.counter);
  // Below zero nothing was counted yet.
  if (session === undefined || counter === undefined || session < 0) return undefined;
  const ordinal = finite(version?.ordinal);
  const revision = finite(version?.revision);
  return {
    session,
    counter,
    ...(ordinal === undefined ? {} : { ordinal }),
    ...(revision === undefined ? {} : { revision }),
  };
}

function decodePosition(value: unknown): WirePosition | undefined {
  const position = object(value);
  const shardId = text(position?.shardId);
  const sequenceNumber = text(position?.sequenceNumber);
  if (shardId === undefined || sequenceNumber === undefined) return undefined;
  return { shardId, sequenceNumber, subSequenceNumber: finite(position?.subSequenceNumber) ?? 0 };
}

function decodeLabels(value: unknown): Labels {
  const labels: Labels = {};
  for (const name of LABELS) {
    const label = text(object(value)?.[name]);
    if (label !== undefined) labels[name] = label;
  }
  return labels;
}

const isLiveness = (value: unknown): value is Liveness => LIVENESS.some((known) => known === value);

function decodeFacts(device: JsonObject): ReadonlyMap<string, AttributeFacts> {
  const facts = new Map<string, AttributeFacts>();
  for (const [name, value] of Object.entries(object(device.attributeVersions) ?? {})) {
    const version = decodeVersion(value);
    if (object(value)?.removed === true) continue;
    const time = timeMs(object(value)?.arrivalTime);
    facts.set(name, {
      ...(version === undefined ? {} : { version }),
      ...(time === undefined ? {} : { time }),
    });
  }
  return facts;
}

export function decodeDevice(value: unknown): Device | undefined {
  const device = object(value);
  const deviceId = text(device?.deviceId);
  if (device === undefined || deviceId === undefined || !isLiveness(device.liveness)) return undefined;
  const { status } = device;
  const counts = object(device.counts);
  const version = decodeVersion(device.version);
  const position = decodePosition(device.position);
  const lastEventTime = text(device.lastEventTime);
  const lastArrivalTime = timeMs(device.lastArrivalTime);
  return {
    deviceId,
    status: status === 'connected' || status === 'disconnected' ? status : 'unknown',
    liveness: device.liveness,
    attributes: object(device.attributes) ?? {},
    attributeFacts: decodeFacts(device),
    labels: decodeLabels(device.labels),
    ...(version === undefined ? {} : { version }),
    ...(position === undefined ? {} : { position }),
    counts: {
      events: finite(counts?.events) ?? 0,
      duplicates: finite(counts?.duplicates) ?? 0,
      late: finite(counts?.late) ?? 0,
      gaps: finite(counts?.gaps) ?? 0,
    },
    ...(lastEventTime === undefined ? {} : { lastEventTime }),
    ...(lastArrivalTime === undefined ? {} : { lastArrivalTime }),
  };
}

function decodeIdentity(value: JsonObject | undefined): { session: number; counter: number } | undefined {
  const session = finite(value?.session);
  const counter = finite(value?.counter);
  return session === undefined || counter === undefined ? undefined : { session, counter };
}

export function decodeHistoryEvent(value: unknown): HistoryEvent | undefined {
  const event = object(value);
  const type = text(event?.type);
  const time = text(event?.time);
  const arrivalTime = timeMs(event?.arrivalTime);
  if (event === undefined || type === undefined || time === undefined || arrivalTime === undefined)
    return undefined;
  const identity = decodeIdentity(event);
  const position = decodePosition(event.position);
  const reason = text(event.reason);
  const corrects = decodeIdentity(object(event.corrects));
  return {
    type,
    time,
    arrivalTime,
    ...(identity === undefined ? {} : { identity }),
    data: object(event.data) ?? {},
    ...(position === undefined ? {} : { position }),
    late: event.late !== undefined && event.late !== null && event.late !== false,
    repaired: event.repaired === true,
    ...(type === 'corrected'
      ? {
          correction: {
            reason: reason ?? '',
            actor: text(event.actor) ?? '',
            ...(corrects === undefined ? {} : { corrects }),
          },
        }
      : {}),
    raw: event,
  };
}

function decodeShard(value: unknown): ShardHealth | undefined {
  const shard = object(value);
  const shardId = text(shard?.shardId);
  if (shard === undefined || shardId === undefined) return undefined;
  const lagMs = finite(shard.lagMs);
  const recordsPerSecond = finite(shard.recordsPerSecond);
  const finishedThrough = text(shard.finishedThrough);
  return {
    shardId,
    state: text(shard.state) ?? 'unknown',
    ...(lagMs === undefined ? {} : { lagMs }),
    ...(recordsPerSecond === undefined ? {} : { recordsPerSecond }),
    ...(finishedThrough === undefined ? {} : { finishedThrough }),
  };
}

function decodeReplay(value: unknown): ReplayJob | undefined {
  const job = object(value);
  const id = text(job?.id) ?? text(job?.jobId);
  if (job === undefined || id === undefined) return undefined;
  const progress = finite(job.progress);
  const detail = text(job.detail) ?? text(job.reason);
  return {
    id,
    state: text(job.state) ?? text(job.status) ?? 'running',
    ...(progress === undefined ? {} : { progress }),
    ...(detail === undefined ? {} : { detail }),
  };
}

const list = (value: unknown): readonly JsonValue[] => (Array.isArray(value) ? value : []);

/** Every member decoded, or undefined as soon as one cannot be. */
function decodeEach<T>(
  values: readonly unknown[],
  decode: (value: unknown) => T | undefined,
): T[] | undefined {
  const decoded: T[] = [];
  for (const value of values) {
    const item = decode(value);
    if (item === undefined) return undefined;
    decoded.push(item);
  }
  return decoded;
}

export function decodePipeline(value: unknown): Pipeline | undefined {
  const pipeline = object(value);
  const stream = text(pipeline?.stream);
  const shards = decodeEach(list(pipeline?.shards), decodeShard);
  const replays = decodeEach(
    list(pipeline?.replays ?? (pipeline?.replay ? [pipeline.replay] : [])),
    decodeReplay,
  );
  if (pipeline === undefined || stream === undefined || shards === undefined || replays === undefined)
    return undefined;
  const retentionHours = finite(pipeline.retentionHours);
  const quarantined = finite(pipeline.quarantined);
  const archiveDeliveryTime = timeMs(object(pipeline.archive)?.lastDeliveryTime);
  return {
    stream,
    shards,
    replays,
    ...(retentionHours === undefined ? {} : { retentionHours }),
    ...(quarantined === undefined ? {} : { quarantined }),
    ...(archiveDeliveryTime === undefined ? {} : { archiveDeliveryTime }),
  };
}

function decodeCounts(value: unknown): Tally {
  const counts = new Map<string, number>();
  for (const [name, count] of Object.entries(object(value) ?? {})) {
    const devices = finite(count);
    if (devices !== undefined) counts.set(name, devices);
  }
  return counts;
}

/** Counts of a label's values. */
function decodeLabelCounts(value: unknown): Tally {
  const counts = new Map<string, number>();
  for (const entry of list(object(value)?.values)) {
    const label = text(object(entry)?.value);
    const devices = finite(object(entry)?.count);
    if (label !== undefined && devices !== undefined) counts.set(label, devices);
  }
  return counts;
}

export function decodeSummary(value: unknown): FleetSummary | undefined {
  const summary = object(value);
  const total = finite(summary?.total);
  if (summary === undefined || total === undefined) return undefined;
  const liveness = decodeCounts(summary.byLiveness);
  const inTrouble = finite(summary.inTrouble);
  const asOf = timeMs(summary.asOf);
  const troubles = decodeCounts(summary.byTrouble);
  const thresholds = object(object(summary.thresholds)?.default);
  const staleAfterMs = finite(thresholds?.staleAfterMs);
  const offlineAfterMs = finite(thresholds?.offlineAfterMs);
  return {
    total,
    liveness: {
      online: liveness.get('online') ?? 0,
      stale: liveness.get('stale') ?? 0,
      offline: liveness.get('offline') ?? 0,
    },
    ...(inTrouble === undefined ? {} : { inTrouble }),
    ...(troubles.size === 0
      ? {}
      : { troubles: { silent: troubles.get('silent') ?? 0, gaps: troubles.get('gaps') ?? 0 } }),
    status: decodeCounts(summary.byStatus),
    site: decodeLabelCounts(summary.bySite),
    type: decodeLabelCounts(summary.byType),
    firmware: decodeLabelCounts(summary.byFirmware),
    ...(staleAfterMs === undefined || offlineAfterMs === undefined
      ? {}
      : { thresholds: { staleAfterMs, offlineAfterMs } }),
    ...(asOf === undefined ? {} : { asOf }),
  };
}

/** A list under its member's name, with its cursor. */
export function decodeListed<T>(
  value: unknown,
  member: string,
  decode: (item: unknown) => T | undefined,
): Listed<T> | undefined {
  const answer = object(value);
  const found = answer?.[member];
  if (answer === undefined || !Array.isArray(found)) return undefined;
  const items = decodeEach(found, decode);
  if (items === undefined) return undefined;
  const cursor = text(answer.cursor);
  const total = finite(answer.total);
  const asOf = timeMs(answer.asOf);
  const lastEventId = text(answer.lastEventId);
  return {
    items,
    ...(cursor === undefined ? {} : { cursor }),
    ...(total === undefined ? {} : { total }),
    ...(asOf === undefined ? {} : { asOf }),
    ...(lastEventId === undefined ? {} : { lastEventId }),
  };
}
