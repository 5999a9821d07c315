import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import {
  type DeviceJson,
  type EventList,
  type FleetSummary,
  type LabelCounts,
  type PipelineStatus,
  PROBLEMS,
  type Problem,
  type ProblemCode,
  problemType,
  type Updates,
  type WholeDevice,
  type WholeDeviceList,
} from '@twinstream/api-contract';
import type { SimulatedFleet } from './simulated-fleet.ts';

/** The policy under which the query API serves the page. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface StubOptions {
  readonly fleet: SimulatedFleet;
  readonly pageFolder: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Has no place for an update stream. */
  readonly isFull?: boolean;
  /** Answers every list with this. */
  readonly failure?: { readonly code: ProblemCode; readonly detail: string };
  readonly token?: string;
  /** As of when lists, counts and updates claim to be true. Default: now. */
  readonly asOf?: string;
  /** Default: two shards without an unusual lag. */
  readonly pipeline?: PipelineStatus;
  /** Of every device that is asked for alone. Default: none. */
  readonly troubles?: WholeDevice['troubles'];
  /** How long a list takes. */
  readonly delayMs?: number;
}

export interface StubApi {
  readonly url: string;
  readonly port: number;
  /** Paths and queries asked for, in their order. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

function isMine(device: DeviceJson, query: URLSearchParams): boolean {
  const { labels } = device;
  const text = [device.deviceId, ...Object.values(labels)].join('\n').toLowerCase();
  const is = (name: string, value: string | undefined): boolean =>
    query.get(name) === null || query.get(name) === value;
  return (
    is('status', device.status) &&
    is('liveness', device.liveness) &&
    is('site', labels.site) &&
    is('type', labels.type) &&
    is('firmware', labels.firmware) &&
    meetsTrouble(device, query.get('trouble')) &&
    text.includes(query.get('q')?.toLowerCase() ?? '')
  );
}

function meetsTrouble(device: DeviceJson, filter: string | null): boolean {
  if (filter === null) return true;
  if (filter === 'gaps') return device.counts.gaps > 0;
  if (filter === 'silent') return isInTrouble(device) && device.counts.gaps === 0;
  return isInTrouble(device) === (filter === 'any');
}

function isInTrouble({ liveness, status, counts }: DeviceJson): boolean {
  return counts.gaps > 0 || (liveness === 'offline' && status !== 'disconnected');
}

/** Sends an answer of the contract's type, which the caller names: a member that the API never sends is a type error. */
function sendJson<Body = never>(response: ServerResponse, body: NoInfer<Body>, status = 200): void {
  response.writeHead(status, {
    'content-type': status < 400 ? 'application/json' : 'application/problem+json',
  });
  response.end(JSON.stringify(body));
}

function sendProblem(response: ServerResponse, code: ProblemCode, detail: string): void {
  const { status, title } = PROBLEMS[code];
  sendJson<Problem>(response, { type: problemType(code), title, status, detail, code }, status);
}

function listOf({ fleet, asOf }: StubOptions, query: URLSearchParams): WholeDeviceList {
  const matching = [...fleet.devices.values()].filter((device) => isMine(device, query));
  const sort = query.get('sort') ?? 'deviceId';
  const sortValueOf = (device: DeviceJson): string | number =>
    sort === 'gaps'
      ? device.counts.gaps
      : sort === 'lastArrivalTime'
        ? (device.lastArrivalTime ?? '')
        : device.deviceId;
  const sign = query.get('order') === 'desc' ? -1 : 1;
  matching.sort((a, b) => {
    const [x, y] = [sortValueOf(a), sortValueOf(b)];
    return x === y ? (a.deviceId < b.deviceId ? -1 : 1) : x < y ? -sign : sign;
  });
  const first = Number(query.get('cursor') ?? 0);
  const last = first + Number(query.get('limit') ?? 100);
  return {
    devices: matching.slice(first, last),
    ...(last < matching.length ? { cursor: String(last) } : {}),
    total: matching.length,
    asOf: asOf ?? new Date().toISOString(),
    lastEventId: String(fleet.changeCount()),
  };
}

function labelCounts(devices: readonly DeviceJson[], name: keyof DeviceJson['labels']): LabelCounts {
  const counts = new Map<string, number>();
  for (const { labels } of devices) counts.set(labels[name] ?? '', (counts.get(labels[name] ?? '') ?? 0) + 1);
  return { values: [...counts].map(([value, count]) => ({ value, count })), other: 0, none: 0 };
}

function summaryOf({ fleet, asOf }: StubOptions, query: URLSearchParams): FleetSummary {
  const devices = [...fleet.devices.values()].filter((device) => isMine(device, query));
  const said = (value: string): number => devices.filter(({ status }) => status === value).length;
  const count = (value: string): number => devices.filter(({ liveness }) => liveness === value).length;
  return {
    total: devices.length,
    byStatus: { connected: said('connected'), disconnected: said('disconnected'), unknown: said('unknown') },
    byLiveness: {
      online: count('online'),
      unknown: count('unknown'),
      stale: count('stale'),
      offline: count('offline'),
    },
    inTrouble: devices.filter(isInTrouble).length,
    byTrouble: {
      silent: devices.filter((device) => isInTrouble(device) && device.counts.gaps === 0).length,
      gaps: devices.filter(({ counts }) => counts.gaps > 0).length,
    },
    unacknowledged: devices.filter(isInTrouble).length,
    retired: 0,
    gapsAgeOutMs: null,
    bySite: labelCounts(devices, 'site'),
    byType: labelCounts(devices, 'type'),
    byFirmware: labelCounts(devices, 'firmware'),
    thresholds: { default: { staleAfterMs: 120_000, offlineAfterMs: 900_000 }, byType: {} },
    lagMs: 0,
    asOf: asOf ?? new Date().toISOString(),
  };
}

function streamUpdates(
  { fleet, asOf }: StubOptions,
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = <Name extends keyof Updates>(event: Name, data: NoInfer<Updates[Name]>): void => {
    response.write(`event: ${event}\n`);
    if (event === 'sync') response.write(`id: ${fleet.changeCount()}\n`);
    response.write(`data: ${JSON.stringify(data)}\n\n`);
  };
  const sync = (): void => send('sync', { asOf: asOf ?? new Date().toISOString() });
  const since = request.headers['last-event-id'];
  if (since !== undefined) {
    for (const device of fleet.changedSince(Number(since))) if (isMine(device, query)) send('device', device);
  }
  sync();
  const unwatch = fleet.watch((device, before) => {
    if (isMine(device, query)) send('device', device);
    else if (before !== undefined && isMine(before, query)) send('leave', { deviceIds: [device.deviceId] });
    sync();
  });
  request.on('close', unwatch);
}

export const PIPELINE: PipelineStatus = {
  asOf: new Date().toISOString(),
  stream: 'device-events',
  retentionHours: 168,
  shards: [
    {
      shardId: 'shardId-000000000000',
      state: 'OPEN',
      lagMs: 120,
      recordsPerSecond: 40,
      processedPerSecond: 40,
      backlogRecords: 5,
      finishedThrough: '4959',
    },
    {
      shardId: 'shardId-000000000001',
      state: 'OPEN',
      lagMs: 450,
      recordsPerSecond: 2,
      processedPerSecond: 2,
      backlogRecords: 1,
      finishedThrough: null,
    },
  ],
  quarantined: 3,
  archive: { lastDeliveryTime: new Date(Date.now() - 40_000).toISOString() },
  replays: [
    {
      id: 'replay-7',
      target: 'repair',
      step: 'apply',
      reason: 'repair after an outage',
      startedTime: new Date(Date.now() - 90_000).toISOString(),
      updatedTime: new Date(Date.now() - 2_000).toISOString(),
      entries: { read: 4_000, applied: 120, late: 3, duplicate: 3_870, redelivered: 5, failed: 2 },
    },
  ],
};

async function answer(
  options: StubOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stub');
  const { fleet, isFull = false, failure, token, delayMs = 0 } = options;
  if (!pathname.startsWith('/v1/')) return sendFile(options.pageFolder, pathname, response);
  if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
    return sendProblem(response, 'UNAUTHENTICATED', 'send one');
  }
  if (pathname === '/v1/devices') {
    if (failure !== undefined) return sendProblem(response, failure.code, failure.detail);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    return sendJson<WholeDeviceList>(response, listOf(options, searchParams));
  }
  if (pathname === '/v1/pipeline') return sendJson<PipelineStatus>(response, options.pipeline ?? PIPELINE);
  if (pathname === '/v1/fleet/summary') {
    return sendJson<FleetSummary>(response, summaryOf(options, searchParams));
  }
  if (pathname === '/v1/updates') {
    if (isFull) return sendProblem(response, 'TOO_MANY_STREAMS', 'try again later, or poll /v1/devices');
    return streamUpdates(options, request, response, searchParams);
  }
  const device = fleet.devices.get(decodeURIComponent(pathname.split('/')[3] ?? ''));
  if (device !== undefined && pathname.endsWith('/events')) {
    return sendJson<EventList>(response, { events: [] });
  }
  if (device !== undefined)
    return sendJson<WholeDevice>(response, {
      ...device,
      attributeVersions: {},
      troubles: options.troubles ?? [],
    });
  return sendProblem(response, 'DEVICE_NOT_FOUND', `nothing at ${pathname}`);
}

async function sendFile(folder: string, pathname: string, response: ServerResponse): Promise<void> {
  const file = join(folder, pathname === '/' ? 'index.html' : pathname);
  try {
    const body = await readFile(file);
    response.writeHead(200, {
      'content-type': MEDIA_TYPES[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': PAGE_POLICY,
    });
    response.end(body);
  } catch {
    sendProblem(response, 'NOT_FOUND', pathname);
  }
}

/** Serves the page and a fleet of one's own making, with the query API's routes, on loopback. */
export async function startStubApi(options: StubOptions): Promise<StubApi> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(options, request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
