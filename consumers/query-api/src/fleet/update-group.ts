import type { DeviceId } from '@twinstream/device-model';
import { fleetPredicate } from './fleet-filter.ts';
import type { FleetChange, ShownDevice } from './fleet-rows.ts';
import type { FleetSnapshot } from './fleet-view.ts';
import { deviceMessage, leaveMessage } from './update-message.ts';
import type { UpdateQuery, UpdateSink } from './update-stream.ts';

/** Whether a device was among a client's own when the client was told of it last. */
export type WasMine = boolean | 'unknown';

/** A change as a client is told of it. */
export interface ToldChange {
  readonly deviceId: DeviceId;
  readonly wasMine: WasMine;
  readonly after: ShownDevice | undefined;
}

export interface Client {
  readonly sink: UpdateSink;
  readonly openTime: number;
  /** Devices whose changes it has not been told of. */
  readonly pending: Map<DeviceId, WasMine>;
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
    isMine: ({ row, liveness, notes }) => matches(row, liveness, notes),
    render: (device) => deviceMessage(device, fields),
    clients: new Set(),
  };
}

/** What changed is sent whole; what left the filter is named. */
export function changesText({ isMine, render }: Group, changes: Iterable<ToldChange>): string {
  let text = '';
  const left: DeviceId[] = [];
  for (const { deviceId, wasMine, after } of changes) {
    if (after !== undefined && isMine(after)) text += render(after);
    else if (wasMine === true || (wasMine === 'unknown' && after !== undefined)) left.push(deviceId);
  }
  return left.length === 0 ? text : text + leaveMessage(left);
}

export function toldChange(group: Group, { deviceId, before, after }: FleetChange): ToldChange {
  return { deviceId, wasMine: isMine(group, before), after };
}

/** Two changes of a device become one, from before the first. */
export function remember(client: Client, { deviceId, wasMine }: ToldChange): void {
  if (!client.pending.has(deviceId)) client.pending.set(deviceId, wasMine);
}

export function rememberFirst(client: Client, query: UpdateQuery, snapshot: FleetSnapshot): void {
  const { since } = query;
  if (query.snapshot) {
    const { columns, matches } = snapshot.scanShown(query.filter);
    matches.forEach((meets, slot) => {
      if (meets === 1) client.pending.set(columns.idOf(slot), false);
    });
  } else if (since !== undefined) {
    for (const deviceId of snapshot.changedSince(since)) client.pending.set(deviceId, 'unknown');
  }
}
