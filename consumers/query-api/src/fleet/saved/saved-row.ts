import type { DeviceId } from '@twinstream/device-model';
import type { SequenceNumber, ShardId } from '@twinstream/stream-model';
import { isoTime, type TimelessDeviceJson } from '../../device-json.ts';
import { type FleetRow, searchTextOf } from '../fleet-row.ts';

/** Raised with every change of {@link SavedRow}: a view that was saved in another form is not read. */
export const SAVED_VERSION = 1;

/** A row as it is saved: what another member says is left out. */
export type SavedRow = readonly [
  deviceId: DeviceId,
  page: number,
  readTime: number,
  device: Pick<TimelessDeviceJson, 'status' | 'labels' | 'version' | 'position' | 'counts' | 'lastEventTime'>,
  attributes: TimelessDeviceJson['attributes'],
  attributesFloor: string | null,
  lastArrivalTime: number | null,
  lastEventTime: number | null,
  hasLeft: 0 | 1,
  isBehindMarks: 0 | 1,
  alteredTime: number | null,
  marks: readonly (readonly [ShardId, SequenceNumber])[],
];

export function savedRow(row: FleetRow, readTime: number): SavedRow {
  const { status, labels, version, position, counts, lastEventTime, attributes, attributesFloor } =
    row.device;
  return [
    row.deviceId,
    row.page,
    readTime,
    { status, labels, version, position, counts, lastEventTime },
    attributes,
    attributesFloor ?? null,
    row.lastArrivalTime ?? null,
    row.lastEventTime ?? null,
    row.hasLeft ? 1 : 0,
    row.isBehindMarks ? 1 : 0,
    row.alteredTime ?? null,
    [...row.marks],
  ];
}

/** Inverse of {@link savedRow}. */
export function restoredRow(saved: SavedRow): { readonly row: FleetRow; readonly readTime: number } {
  const [deviceId, page, readTime, device, attributes, floor, arrival, eventTime, ...rest] = saved;
  const [hasLeft, isBehind, alteredTime, marks] = rest;
  const { status, labels, version, position, counts, lastEventTime } = device;
  const row: FleetRow = {
    deviceId,
    page,
    device: {
      deviceId,
      status,
      attributes,
      ...(floor === null ? {} : { attributesFloor: floor }),
      labels,
      version,
      position,
      counts,
      lastEventTime,
      lastArrivalTime: arrival === null ? null : isoTime(arrival),
    },
    lastArrivalTime: arrival ?? undefined,
    hasLeft: hasLeft === 1,
    lastEventTime: eventTime ?? undefined,
    marks: new Map(marks),
    isBehindMarks: isBehind === 1,
    ...(alteredTime === null ? {} : { alteredTime }),
    searchText: searchTextOf(deviceId, labels),
  };
  return { row, readTime };
}
