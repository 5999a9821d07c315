import type { DeviceId } from '@twinstream/device-model';
import type { Clock } from '@twinstream/runtime';
import type { FieldSelection } from '../field-selection.ts';
import { type FleetFilter, fleetPredicate } from './fleet-filter.ts';
import type { FleetChange, ShownDevice } from './fleet-rows.ts';
import type { FleetSnapshot, FleetView } from './fleet-view.ts';
import { encodeResumeToken, mayHaveChangedSince, type ResumePoint } from './resume-token.ts';
import { deviceMessage, leaveMessage, retryMessage, syncMessage } from './update-message.ts';

/** Which updates a client wants. */
export interface UpdateQuery {
  readonly filter: FleetFilter;
  readonly fields?: FieldSelection;
  /** What it has seen: whatever changed since comes first. */
  readonly since?: ResumePoint;
  /** Send all devices of the filter first. */
  readonly snapshot: boolean;
}

/** Where updates go. */
export interface UpdateSink {
  /** False when the client does not keep up; `resume` of the stream is to be called when it does again. */
  write(bytes: Uint8Array): boolean;
  close(): void;
}

export interface UpdateStream {
  /** The sink has room again. */
  resume(): void;
  /** The client has gone. */
  end(): void;
}

/** Tells any number of clients of changes, each of those it asked for. Clients that ask for the same share the work. */
export interface UpdateHub {
  /** Undefined when as many are open as there may be. */
  open(query: UpdateQuery, snapshot: FleetSnapshot, sink: UpdateSink): UpdateStream | undefined;
  /** Ends all streams; their clients come back with what they have seen. */
  close(): void;
}

export interface UpdateHubOptions {
  readonly fleet: Pick<FleetView, 'watch'>;
  readonly clock: Clock;
  /** Default 2,000. */
  readonly clientsMax?: number;
  /** Silence after which a client is told that all is well, in milliseconds. Default 10,000. */
  readonly heartbeatMs?: number;
  /** Time after which a client comes back by itself, in milliseconds. Default 2,000. */
  readonly retryMs?: number;
  /** Streams end after this time, in milliseconds; where a driver cannot hold one open it is 0. Default: never. */
  readonly holdMs?: number;
}

/** Changes that are sent to a client at once when it has fallen behind. */
const SLICE_CHANGES = 200;

/** A change that a client has not been told of. `unknown`: whether the device was among its own before is not known. */
interface PendingChange {
  readonly before: ShownDevice | 'unknown' | undefined;
  readonly after: ShownDevice | undefined;
}

interface Client {
  readonly sink: UpdateSink;
  readonly openTime: number;
  readonly pending: Map<DeviceId, PendingChange>;
  hasRoom: boolean;
  writeTime: number;
}

/** Clients that asked for the same. */
interface Group {
  readonly isMine: (device: ShownDevice) => boolean;
  readonly render: (device: ShownDevice) => string;
  readonly clients: Set<Client>;
}

const utf8 = new TextEncoder();

export function createUpdateHub(options: UpdateHubOptions): UpdateHub {
  const { fleet, clock, clientsMax = 2_000, heartbeatMs = 10_000, retryMs = 2_000, holdMs } = options;
  const groups = new Map<string, Group>();
  let clientCount = 0;
  let latest: FleetSnapshot | undefined;
  let unwatch: (() => void) | undefined;
  let beating: AbortController | undefined;

  function hear(changes: readonly FleetChange[], snapshot: FleetSnapshot): void {
    latest = snapshot;
    let token: string | undefined;
    for (const group of [...groups.values()]) {
      const mine = new Set(
        changes.filter(({ before, after }) => isMine(group, before) || isMine(group, after)),
      );
      const ready = new Set(
        [...group.clients].filter((client) => client.hasRoom && client.pending.size === 0),
      );
      const text = ready.size === 0 ? '' : changesText(group, mine);
      if (text !== '') {
        token ??= encodeResumeToken(snapshot.resumePoint);
        const bytes = utf8.encode(text + syncMessage(snapshot, token));
        for (const client of ready) write(client, bytes);
      }
      for (const client of [...group.clients]) {
        if (ready.has(client)) continue;
        for (const change of changes) {
          if (mine.has(change) || client.pending.has(change.deviceId)) remember(client, change);
        }
        drain(group, client);
      }
    }
    beat();
  }

  function write(client: Client, bytes: Uint8Array): void {
    client.writeTime = clock.now();
    client.hasRoom = client.sink.write(bytes);
  }

  /** Sends what a client has not been told of, as far as it keeps up. */
  function drain(group: Group, client: Client): void {
    while (client.hasRoom && client.pending.size > 0) {
      const slice: PendingChange[] = [];
      for (const [deviceId, change] of client.pending) {
        if (slice.length === SLICE_CHANGES) break;
        client.pending.delete(deviceId);
        slice.push({ ...change });
      }
      const text = changesText(group, slice);
      const sync = client.pending.size === 0 && latest !== undefined ? syncOf(latest) : '';
      if (text + sync !== '') write(client, utf8.encode(text + sync));
    }
  }

  function beat(): void {
    const now = clock.now();
    if (latest === undefined) return;
    let bytes: Uint8Array | undefined;
    for (const group of [...groups.values()]) {
      for (const client of [...group.clients]) {
        if (holdMs !== undefined && now - client.openTime >= holdMs && client.pending.size === 0) {
          client.sink.close();
          leave(group, client);
        } else if (now - client.writeTime >= heartbeatMs && client.hasRoom && client.pending.size === 0) {
          bytes ??= utf8.encode(syncOf(latest));
          write(client, bytes);
        }
      }
    }
  }

  function leave(group: Group, client: Client): void {
    if (!group.clients.delete(client)) return;
    clientCount -= 1;
    if (group.clients.size === 0) for (const [key, known] of groups) if (known === group) groups.delete(key);
    if (clientCount === 0) sleep();
  }

  function wakeUp(): void {
    if (unwatch !== undefined) return;
    unwatch = fleet.watch(hear);
    const controller = new AbortController();
    beating = controller;
    // Heartbeats go on where the fleet cannot be read: the client sees by `asOf` how old its knowledge is.
    const keepBeating = async () => {
      while (!controller.signal.aborted) {
        await clock.sleep(heartbeatMs / 2, controller.signal).catch(() => undefined);
        beat();
      }
    };
    keepBeating();
  }

  function sleep(): void {
    unwatch?.();
    unwatch = undefined;
    beating?.abort();
    latest = undefined;
  }

  return {
    open: (query, snapshot, sink) => {
      if (clientCount >= clientsMax) return undefined;
      const key = JSON.stringify([query.filter, query.fields?.names]);
      const group = groups.get(key) ?? createGroup(query);
      groups.set(key, group);
      const now = clock.now();
      const client: Client = { sink, openTime: now, pending: new Map(), hasRoom: true, writeTime: now };
      group.clients.add(client);
      clientCount += 1;
      wakeUp();
      latest = snapshot;
      rememberFirst(client, query, snapshot, group);
      write(client, utf8.encode(retryMessage(retryMs) + (client.pending.size === 0 ? syncOf(snapshot) : '')));
      drain(group, client);
      if (holdMs === 0) beat();
      return {
        resume: () => {
          client.hasRoom = true;
          drain(group, client);
          if (holdMs === 0) beat();
        },
        end: () => leave(group, client),
      };
    },
    close: () => {
      for (const group of [...groups.values()]) {
        for (const client of [...group.clients]) {
          client.sink.close();
          leave(group, client);
        }
      }
    },
  };
}

function isMine(group: Group, device: ShownDevice | undefined): boolean {
  return device !== undefined && group.isMine(device);
}

function syncOf(snapshot: FleetSnapshot): string {
  return syncMessage(snapshot, encodeResumeToken(snapshot.resumePoint));
}

function createGroup({ filter, fields }: UpdateQuery): Group {
  const matches = fleetPredicate(filter);
  return {
    isMine: ({ row, liveness }) => matches(row, liveness),
    render: (device) => deviceMessage(device, fields),
    clients: new Set(),
  };
}

/** What changed is sent whole; what left the filter is named. */
function changesText({ isMine, render }: Group, changes: Iterable<FleetChange | PendingChange>): string {
  let text = '';
  const left: DeviceId[] = [];
  for (const { before, after } of changes) {
    if (after !== undefined && isMine(after)) text += render(after);
    else if (before === 'unknown') {
      if (after !== undefined) left.push(after.row.deviceId);
    } else if (before !== undefined && isMine(before)) left.push(before.row.deviceId);
  }
  return left.length === 0 ? text : text + leaveMessage(left);
}

/** Two changes of a device become one: from before the first to after the last. */
function remember(client: Client, { deviceId, before, after }: FleetChange): void {
  const known = client.pending.get(deviceId);
  client.pending.set(deviceId, { before: known === undefined ? before : known.before, after });
}

function rememberFirst(client: Client, query: UpdateQuery, snapshot: FleetSnapshot, group: Group): void {
  const { since } = query;
  if (since === undefined && !query.snapshot) return;
  for (const shown of snapshot.shown()) {
    if (query.snapshot ? group.isMine(shown) : since !== undefined && changedSince(shown, since, snapshot)) {
      client.pending.set(shown.row.deviceId, {
        before: query.snapshot ? undefined : 'unknown',
        after: shown,
      });
    }
  }
}

function changedSince(shown: ShownDevice, since: ResumePoint, snapshot: FleetSnapshot): boolean {
  return (
    mayHaveChangedSince(shown.row, since) || snapshot.livenessAt(shown.row, since.timeMs) !== shown.liveness
  );
}
