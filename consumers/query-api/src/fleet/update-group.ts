import type { DeviceId } from '@twinstream/device-model';
import { fleetPredicate } from './fleet-filter.ts';
import type { FleetChange, ShownDevice } from './fleet-rows.ts';
import type { FleetSnapshot } from './fleet-view.ts';
import { mayHaveChangedSince, type ResumePoint } from './resume-token.ts';
import { deviceMessage, leaveMessage } from './update-message.ts';
import type { UpdateQuery, UpdateSink } from './update-stream.ts';

/** A change that a client has not been told of. `unknown`: whether the device was among its own before is not known. */
export interface PendingChange {
  readonly before: ShownDevice | 'unknown' | undefined;
  readonly after: ShownDevice | undefined;
}

export interface Client {
  readonly sink: UpdateSink;
  readonly openTime: number;
  readonly pending: Map<DeviceId, PendingChange>;
  hasRoom: boolean;
  writeTime: number;
}

/** Clients that asked for the same. */
export interface Group {
  readonly isMine: (device: ShownDevice) => boolean;
  readonly render: (device: ShownDevice) => string;
  readonly clients: Set<Client>;
}

export function isMine(group: Group, device: ShownDevice | undefined): boolean {
  return device !== undefined && group.isMine(device);
}

export function createGroup({ filter, fields }: UpdateQuery): Group {
  const matches = fleetPredicate(filter);
  return {
    isMine: ({ row, liveness }) => matches(row, liveness),
    render: (device) => deviceMessage(device, fields),
    clients: new Set(),
  };
}

/** What changed is sent whole; what left the filter is named. */
export function changesText(
  { isMine, render }: Group,
  changes: Iterable<FleetChange | PendingChange>,
): string {
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
export function remember(client: Client, { deviceId, before, after }: FleetChange): void {
  const known = client.pending.get(deviceId);
  client.pending.set(deviceId, { before: known === undefined ? before : known.before, after });
}

export function rememberFirst(
  client: Client,
  query: UpdateQuery,
  snapshot: FleetSnapshot,
  group: Group,
): void {
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
    mayHaveChangedSince(shown.row, since) ||
    snapshot.livenessAt(shown.row, since.timeMs) !== shown.liveness ||
    snapshot.mayHaveBeenUnknown(shown.row, since.timeMs)
  );
}
